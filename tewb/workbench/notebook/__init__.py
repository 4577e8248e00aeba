"""What lives in a notebook: the workbench, magics, how our classes look in a cell, and snapshots."""
