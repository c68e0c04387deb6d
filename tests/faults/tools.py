"""What tests/faults/meson.build makes."""

from instance import ROOT, binary


def fault_tool(name):
    """Beside the program, or in build."""
    for folder in (binary().parent, ROOT / "build"):
        path = folder / "tests" / "faults" / name
        if path.is_file():
            return path
    raise RuntimeError(f"{name} is not built: ninja -C build")
