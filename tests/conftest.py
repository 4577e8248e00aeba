"""What all tests share: nodes are frozen for real, the object cache is fresh, and the checkout is importable."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["TEWB_FREEZE_NODES"] = "1"
os.environ["TEWB_CACHE_DIR"] = tempfile.mkdtemp(prefix="tewb-tests-")
atexit.register(shutil.rmtree, os.environ["TEWB_CACHE_DIR"], True)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
