"""Write what is generated: the blocks of the pages, and the picture of the layers."""

from tests.docs import PROJECT
from tests.docs.generated import make_blocks, project_parts
from tests.docs.pages import filled, find_pages
from tests.docs.picture import draw

PICTURE = PROJECT / "docs/layers.svg"


def main() -> None:
    """Write every file that has changed."""
    made = make_blocks()
    new = {page: filled(page.read_text(), made) for page in find_pages()}
    new[PICTURE] = draw(project_parts())
    for path, text in new.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"Wrote {path.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
