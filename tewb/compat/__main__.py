"""`python -m tewb.compat script.py arguments`: run a program written for TVM, on tewb."""

import sys

from tewb.compat.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
