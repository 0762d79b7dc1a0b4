"""A package's digest follows the names and contents of its Python files, and nothing else."""

from auction.sources import sources


def test_any_edit_of_a_python_file_gives_another_digest(tmp_path):
    def digest():
        sources.cache_clear()
        return sources(tmp_path)

    (tmp_path / "inner").mkdir()
    first = digest()
    found = [first]
    (tmp_path / "inner" / "a.py").write_text("x = 1\n")
    found.append(digest())
    (tmp_path / "inner" / "a.py").write_text("x = 2\n")
    found.append(digest())
    (tmp_path / "inner" / "a.py").rename(tmp_path / "a.py")
    found.append(digest())
    (tmp_path / "notes.txt").write_text("x = 3\n")
    assert len(set(found)) == 4 and digest() == found[-1]
    (tmp_path / "a.py").unlink()
    assert digest() == first
