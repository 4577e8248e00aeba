"""What all tests share: nodes are frozen for real, and the checkout is importable."""

import os
import sys
from pathlib import Path

os.environ["TEWB_FREEZE_NODES"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
