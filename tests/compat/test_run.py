"""Scripts in which `import tvm` means tewb: their arguments, their `__main__`, and tracebacks of their own lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tewb.compat.run import main, run_script


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("argv", sys.argv), ("path", [*sys.path])):
        monkeypatch.setattr(sys, name, value)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def script(folder: Path, text: str, name: str = "script.py") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_script_has_its_arguments_its_folder_and_is_main(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(tmp_path, "import tvm\nsize = tvm.const(3)\n", "beside_it.py")
    path = script(
        tmp_path,
        "import sys, os, tvm, beside_it\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:], os.path.basename(__file__), int(beside_it.size))\n"
        "    print(sys.modules['__main__'].beside_it is beside_it)\n",
    )
    assert main([path, "-n", "3"]) == 0
    assert capsys.readouterr().out == "['-n', '3'] script.py 3\nTrue\n"
    del sys.modules["beside_it"]


def test_the_traceback_of_a_mistake_shows_lines_of_the_script_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = script(tmp_path, "from tvm import te\ndef f():\n    return te.placeholder((2, -1))\nf()\n")
    assert main([path]) == 1
    shown = capsys.readouterr().err
    assert [line.strip() for line in shown.splitlines() if line.lstrip().startswith("File")] == [
        f'File "{path}", line 4, in <module>',
        f'File "{path}", line 3, in f',
    ]
    assert "ShapeError: placeholder: size -1 is negative" in shown


def test_the_traceback_of_an_error_of_the_scripts_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = script(tmp_path, "import tvm\nraise KeyError('mine')\n")
    assert main([path]) == 1
    shown = capsys.readouterr().err
    assert "tewb" not in shown and "line 2, in <module>" in shown and shown.endswith("KeyError: 'mine'\n")


def test_an_error_from_inside_of_tewb_keeps_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(tmp_path, "import tvm\ntvm.lower(tvm.create_schedule(tvm.placeholder((2,)).op), [])\n")
    monkeypatch.setattr("tewb.lowering.lower.check_binds", None)
    assert main([path]) == 1
    shown = capsys.readouterr().err
    assert "tewb/lowering/lower.py" in shown and "'NoneType' object is not callable" in shown


def test_exit_codes_are_the_scripts(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as end:
        main([script(tmp_path, "import sys\nsys.exit(3)\n")])
    assert end.value.code == 3


def test_a_module_runs_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script(
        tmp_path, "import sys, tvm\nprint(sys.argv[1:], __name__, tvm.__name__)\n", "a_module_of_theirs.py"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["-m", "a_module_of_theirs", "x"]) == 0
    assert capsys.readouterr().out == "['x'] __main__ tvm\n"


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2 and main(["--help"]) == 0
    captured = capsys.readouterr()
    assert "usage: python -m tewb.compat script.py" in captured.out
    assert "usage: python -m tewb.compat script.py" in captured.err


def test_what_a_script_defines_comes_back(tmp_path: Path) -> None:
    assert run_script(script(tmp_path, "x = 3\n"))["x"] == 3


def test_a_script_that_is_no_python_or_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(tmp_path, "import tvm\nprint 3\n")
    assert main([path]) == 1
    shown = capsys.readouterr().err
    assert "SyntaxError" in shown and f'File "{path}", line 2' in shown and "run.py" not in shown
    assert main([str(tmp_path / "nothing.py")]) == 2
    assert "there is no file" in capsys.readouterr().err
