"""The commands that list entries say all that the registries hold, and refuse names that are none."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from typer.testing import CliRunner, Result

from spikinggamma.cli import app
from spikinggamma.cli.entries import COMMANDS
from spikinggamma.option_words import option_rows
from spikinggamma.registry import REGISTRIES, Entry

for _room, *_ in COMMANDS.values():
    import_module(_room)
every_command = pytest.mark.parametrize("command", COMMANDS)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def entries(command: str) -> tuple[Entry[object], ...]:
    return REGISTRIES[COMMANDS[command][1]].entries()


@every_command
def test_the_table_has_a_line_for_each_entry(command: str) -> None:
    result = call(command)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in entries(command)]
    for line, entry in zip(lines, entries(command), strict=True):
        assert line.endswith(entry.summary)


@pytest.mark.long
@every_command
def test_an_entry_is_shown_with_all_its_options_and_citations(command: str) -> None:
    for entry in entries(command):
        result = call(command, entry.name)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"{entry.name}: {entry.summary}\n")
        for row in option_rows(entry.options):
            assert f"\n  {row.key} = {row.default}\n" in result.stdout
            assert row.kind in result.stdout
            assert row.range in result.stdout
            assert row.description in result.stdout
        for citation in entry.citations:
            assert citation in result.stdout


@every_command
def test_every_entry_says_what_it_is_and_every_option_what_it_means(command: str) -> None:
    for entry in entries(command):
        assert re.fullmatch(r"[^.].*\.", entry.summary), entry.name
        for row in option_rows(entry.options):
            assert row.description, f"{entry.name}.{row.key}"
            assert row.kind != "a value", f"{entry.name}.{row.key}"


@every_command
def test_an_unknown_name_is_bad_input_with_the_nearest(command: str) -> None:
    example = COMMANDS[command][3]
    result = call(command, f"{example}s")
    assert result.exit_code == 2
    assert f"Did you mean `{example}`?" in result.stderr
    assert result.stdout == ""


@every_command
def test_help_teaches_by_example(command: str) -> None:
    said = call(command, "--help")
    assert said.exit_code == 0
    assert f"spikinggamma {command} {COMMANDS[command][3]}" in said.output


def test_a_line_of_an_entry_by_hand() -> None:
    said = call("losses", "running").stdout
    assert "  horizon_ms = 300.0\n      a number, above 0, at most 1e+07 ms\n" in said
    assert "shrestha2022spikemax" in call("losses", "spikemax").stdout
    assert "It has no options." in call("losses", "sum").stdout
