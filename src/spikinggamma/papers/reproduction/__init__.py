"""The machinery of reproduction: experiments with rows that are kept, verdicts, and the rows of claims."""
