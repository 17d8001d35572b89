"""An archive gives the expected files and nothing else, and one that is out to do harm gives nothing."""

import io
import stat
import zipfile

import pytest
from faulty_server import FaultyServer
from test_datasets_download import CALM, HASTE
from tiny_sets import esc_files, lay_out, md5_of, parts_below, tiny_esc50

from envnet_tutorial.datasets import archive as archive_module
from envnet_tutorial.datasets.archive import extract_files
from envnet_tutorial.errors import InputError

FILES = {f"audio/{letter}.wav": letter.encode() * 3_000 for letter in "abc"}
LIMIT = 3_000


def zip_bytes(members, top="ESC-50-main/", compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, content in members.items():
            file.writestr(top + name if isinstance(name, str) else name, content)
    return stream.getvalue()


def extract(tmp_path, content, files=FILES):
    path = tmp_path / "set.zip"
    path.write_bytes(content)
    return extract_files(path, md5_of(files), tmp_path / "set", max_bytes=LIMIT, progress=False)


def names_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_expected_files_are_taken(tmp_path):
    more = FILES | {"README.md": b"x", "audio/d.wav": b"not in the set", ".github/run.sh": b"echo"}
    assert extract(tmp_path, zip_bytes(more)) == []
    assert names_below(tmp_path / "set") == set(FILES)
    assert all((tmp_path / "set" / name).read_bytes() == content for name, content in FILES.items())


def test_absent_and_changed_members_are_reported(tmp_path):
    changed = FILES | {"audio/b.wav": b"c" * 3_000, "audio/c.wav": b"c" * 3_001}
    del changed["audio/a.wav"]
    assert extract(tmp_path, zip_bytes(changed)) == ["audio/a.wav", "audio/b.wav", "audio/c.wav"]
    assert names_below(tmp_path / "set") == set()


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def device(name):
    info = link(name)
    info.external_attr = (stat.S_IFCHR | 0o666) << 16
    return info


@pytest.mark.parametrize(
    "name",
    [
        "top/../../escaped.wav",
        "../escaped.wav",
        "/absolute.wav",
        "top/audio/../../../a.wav",
        "C:\\windows\\a.wav",
        "top\\..\\..\\a.wav",
        "\\\\host\\share\\a.wav",
        link("top/audio/d.wav"),
        link("top/audio"),
        device("top/audio/d.wav"),
    ],
)
def test_members_that_lead_elsewhere_refuse_the_whole_archive(tmp_path, name):
    content = zip_bytes({f"top/{member}": data for member, data in FILES.items()} | {name: b"/etc/passwd"}, top="")
    with pytest.raises(InputError, match=r"is refused: its member .* (leads out of the folder|is a link or a device)"):
        extract(tmp_path, content)
    assert names_below(tmp_path) == {"set.zip"}


def test_a_bomb_is_refused(tmp_path):
    bomb = zip_bytes(FILES | {"audio/bomb.wav": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    with pytest.raises(InputError, match="would swell to 50,000,000 bytes"):
        extract(tmp_path, bomb)
    assert names_below(tmp_path) == {"set.zip"}


def test_a_bomb_that_lies_about_its_size_stops_at_the_limit(tmp_path):
    content = bytearray(zip_bytes({"audio/a.wav": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.find(signature)
        content[start + place : start + place + 4] = (3_000).to_bytes(4, "little")
    assert extract(tmp_path, bytes(content)) == list(FILES)
    assert names_below(tmp_path) == {"set.zip"}


def test_too_many_members_or_bytes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 2)
    with pytest.raises(InputError, match="3 members of 9,000 bytes in all are too many"):
        extract(tmp_path, zip_bytes(FILES))
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 20)
    monkeypatch.setattr(archive_module, "MAX_DECLARED_BYTES", 8_999)
    with pytest.raises(InputError, match="too many"):
        extract(tmp_path, zip_bytes(FILES))


@pytest.mark.parametrize("kept", [0, 10, 0.5, -30])
def test_a_cut_archive_is_no_archive(tmp_path, kept):
    whole = zip_bytes(FILES)
    cut = whole[: int(len(whole) * kept)] if isinstance(kept, float) else whole[:kept]
    with pytest.raises(InputError, match="is no whole ZIP archive"):
        extract(tmp_path, cut)


def test_a_damaged_member_is_reported_and_the_rest_extracted(tmp_path):
    content = bytearray(zip_bytes(FILES))
    content[content.find(b"bbbb") + 100] ^= 1
    assert extract(tmp_path, bytes(content)) == ["audio/b.wav"]
    assert names_below(tmp_path / "set") == set(FILES) - {"audio/b.wav"}


def esc_zip():
    return zip_bytes(esc_files() | {"README.md": b"ESC-50", "esc50.gif": b"GIF"})


def test_a_set_comes_out_of_a_local_archive(tmp_path):
    (tmp_path / "ESC-50.zip").write_bytes(esc_zip())
    kind = tiny_esc50(esc_files())
    clips = kind(tmp_path / "set", subset="esc10", archive=tmp_path / "ESC-50.zip", progress=False)
    assert len(clips) == 15 and clips.validate().is_whole
    assert (tmp_path / "ESC-50.zip").exists()


@pytest.mark.parametrize("fault", ["ok", "drop", "redirect", "500", "stall", "page"])
def test_a_set_comes_out_of_an_archive_that_is_fetched(tmp_path, fault):
    kind = tiny_esc50(esc_files(), archive_bytes=len(esc_zip()))
    with FaultyServer({"set.zip": esc_zip()}, {"set.zip": [fault]}) as server:
        settings = {
            "archive": f"{server.url}/set.zip",
            "patience": HASTE if fault == "stall" else CALM,
            "progress": False,
        }
        if fault == "page":  # without a checksum of the whole, a page in its place shows when it is opened
            with pytest.raises(InputError, match="is no whole ZIP archive"):
                kind(tmp_path, **settings)
        clips = kind(tmp_path, **settings)
    assert clips.validate().is_whole and parts_below(tmp_path) == []


def test_an_archive_that_does_not_come_is_an_error_and_leaves_nothing(tmp_path):
    kind = tiny_esc50(esc_files(), archive_bytes=len(esc_zip()))
    with FaultyServer({"set.zip": esc_zip()}) as server:
        for fault, tries in (("drop", 3), ("404", 1)):
            server.always["set.zip"] = fault
            server.requests.clear()
            with pytest.raises(InputError, match=r"archive http.* did not arrive"):
                kind(tmp_path, archive=f"{server.url}/set.zip", patience=CALM, progress=False)
            assert server.requests["set.zip"] == tries
    assert parts_below(tmp_path) == []
    with pytest.raises(InputError, match="there is no archive"):
        kind(tmp_path, archive=tmp_path / "none.zip", progress=False)


def test_an_archive_that_lacks_clips_is_named_and_what_it_has_is_kept(tmp_path):
    files = dict(list(esc_files().items())[:-2])
    (tmp_path / "part.zip").write_bytes(zip_bytes(files))
    with pytest.raises(InputError, match="lacks 2 of 21 files"):
        tiny_esc50(esc_files())(tmp_path / "set", archive=tmp_path / "part.zip", progress=False)
    assert set(files) <= names_below(tmp_path / "set")


def test_a_whole_folder_needs_no_archive(tmp_path):
    lay_out(tmp_path, esc_files())
    assert len(tiny_esc50(esc_files())(tmp_path, archive=tmp_path / "none.zip")) == 20
