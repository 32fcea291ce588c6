"""`python -m cio_mcp` is `cio-mcp`."""

import sys

from cio_mcp.cli import main

sys.exit(main())
