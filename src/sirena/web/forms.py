"""Reading the forms of the pages."""

from fastapi import Request


async def read_fields(request: Request, *, most: int, longest: int) -> dict[str, str]:
    """Return the fields of a form; files are refused, since they could be written to disk.

    Args:
        request: whose body is the form.
        most: fields that it may have.
        longest: most bytes of one field.
    """
    fields = await request.form(max_files=0, max_fields=most, max_part_size=longest)
    return {name: str(text) for name, text in fields.items()}
