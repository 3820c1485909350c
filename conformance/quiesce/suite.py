"""What pytest collects for ``quiesce run``: the cells that its command line chose."""

from quiesce.tests_api import ChosenCells

test_cell = ChosenCells()
