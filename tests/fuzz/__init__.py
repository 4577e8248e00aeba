"""A fuzzer of whole programs: random graphs, schedules, arrays and options, each run in a process of its own.

    python -m tests.fuzz --seconds 3600 --seed 7 --jobs 2

expressions.py   expressions as data: their dtype, their text, their value in numpy
programs.py      a program as data: inputs, stages, steps of the schedule, options, calls
generate.py      the program of a seed: a graph (graphs.py), whose stages have expressions (values.py), and its use (calls.py)
capabilities.py  what this tewb has, which is asked and not known
templates.py     stages that are externs and hybrid functions
reference.py     what a program should give, straight from numpy; nothing of tewb is asked
gpu_steps.py     blocks and threads, and copies that threads share, as GPU schedules have them
joined_steps.py  stages in the loops of others: with them, or after what they read
interpreted.py   the lowered program in an interpreter: poisoned memory, and parallel loops backwards
tensor_steps.py  intrinsics that are made to fit what a stage computes, and their places
schedules.py     random primitives, read from their declarations, and what a refusal must be
arrays.py        views of every kind between guard pages
script.py        a program as a short script, which is also the text that is run
run.py           one program: define, schedule, build, call, compare
worker.py        a process that runs programs and may die of it
minimise.py      a smaller program that fails in the same way
"""
