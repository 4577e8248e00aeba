"""Programs on arrays that are larger than memory: cut into blocks, each computed by a kernel of its own size.

    B = kernel.map_blocks(A)         A and B are dask arrays; B has the chunks of A

given.py            the arrays and numbers that a kernel is given, and its program with their sizes
follow.py           which axis an index follows, and where it passes from one chunk into another
cuts.py             where the axes of a program are cut, from the chunks of what it reads
parts.py            which part of each tensor a block reads
block_program.py    the program of one block, on those parts
block_kernel.py     its IR, which travels, and the kernel that is compiled where it arrives
combination.py      two partial results of a reduction become one
tasks.py            the graph of tasks
map_blocks.py       all of it
"""

from tewb.blocks.map_blocks import map_blocks

__all__ = ["map_blocks"]
