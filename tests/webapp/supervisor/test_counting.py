"""Several processes of a site share a folder in which they count; one needs none."""

from __future__ import annotations

from webapp import meters
from webapp.settings import Settings
from webapp.supervisor.run import counting_folder, site_program


def test_one_process_counts_in_its_own_memory(settings: Settings) -> None:
    with counting_folder(settings) as folder:
        program = site_program(settings, "http://localhost:1", counts=folder)
    assert folder is None
    assert meters.FOLDER not in program.env


def test_several_share_a_private_folder_for_as_long_as_they_run(
    settings: Settings,
) -> None:
    several = settings.but(processes=2)
    with counting_folder(several) as folder:
        assert folder is not None
        assert folder.stat().st_mode & 0o777 == 0o700
        program = site_program(several, "http://localhost:1", counts=folder)
    assert program.env[meters.FOLDER] == str(folder)
    assert not folder.exists()
