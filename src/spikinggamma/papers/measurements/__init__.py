"""What experiments of papers measure beyond the benches: functions of a folder and options, called as tasks."""
