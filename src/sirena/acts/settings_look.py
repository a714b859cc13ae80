"""Whether the settings of an installation are in order, for `sirena settings check` and `sirena doctor`."""

from sirena.acts.named_files import file_problems
from sirena.acts.openid_settings import openid_problems
from sirena.server.checks.finding import Area, CheckReport, CheckVerdict
from sirena.server.checks.settings_check import problems
from sirena.settings.catalogue import Settings, settings_file


def look_at_settings(settings: Settings, check_report: CheckReport) -> None:
    """Check the settings and the files that they name; note each mistake, or that there is none."""
    file = settings_file()
    with check_report.looking(Area.SETTINGS, "settings"):
        setting_problems = [*problems(settings), *openid_problems(settings), *file_problems(settings)]
        for problem in setting_problems:
            remedy = f"correct it in {file} or the environment; `sirena settings list` shows meaning and example"
            check_report.note(Area.SETTINGS, "settings", CheckVerdict.WRONG, problem, remedy)
        if not setting_problems:
            message = f"in order, with {file}" if file.is_file() else f"in order, without a file {file}"
            check_report.note(Area.SETTINGS, "settings", CheckVerdict.WELL, message)
