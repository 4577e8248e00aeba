"""What all tests share: nodes are frozen for real, passes are verified, the object cache is fresh, and the checkout is importable, interrupts arrive."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

os.environ["TEWB_FREEZE_NODES"] = "1"
os.environ["TEWB_VERIFY"] = "1"
os.environ["TEWB_CACHE_DIR"] = tempfile.mkdtemp(prefix="tewb-tests-")
atexit.register(shutil.rmtree, os.environ["TEWB_CACHE_DIR"], True)
# A shell starts what runs in its background with interrupts ignored; tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
