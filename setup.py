"""What the package has that the source has elsewhere, or not at all: the templates inside the two
apps, where Django looks for an installed app's, and the compiled translations."""

import shutil
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = Path(__file__).resolve().parent
APPS = ("messaging", "notifications")


class BuildApps(build_py):
    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # What an earlier build left there.
        super().run()
        if not self.editable_mode:
            for app in APPS:
                self.copy_templates(app)
                self.compile_translations(app)

    def copy_templates(self, app: str) -> None:
        target = Path(self.build_lib, app, "templates", app)
        shutil.copytree(PROJECT / "templates" / app, target, dirs_exist_ok=True)

    def compile_translations(self, app: str) -> None:
        for catalogue in Path(self.build_lib, app, "locale").glob("*/LC_MESSAGES/*.po"):
            with catalogue.open("rb") as source, catalogue.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))


setup(cmdclass={"build_py": BuildApps})
