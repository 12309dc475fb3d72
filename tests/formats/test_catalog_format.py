"""Update catalogues: what is read from one, what is refused, and that what is written is read back."""

from __future__ import annotations

import gzip
import io
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.formats import catalog as catalogs
from emulator.formats.catalog import DIGESTS, PROTOCOLS, Catalog, CatalogError, Package, Reader, location, render

CAPTURED = """<?xml version="1.0" encoding="utf-16"?>
<Manifest baseLocation="downloads.dell.com" baseLocationAccessProtocols="HTTPS" version="25.04.28" releaseID="RHDC6">
  <ReleaseNotes><Display lang="en">Notes</Display></ReleaseNotes>
  <InventoryComponent path="FOLDER1/invcol.BIN" vendorVersion="25.03.00"/>
  <SoftwareComponent dellVersion="A00" hashMD5="3979C65DF3C67A5342D707AF89923DE5" packageID="H09VC" packageType="LW64"
      path="FOLDER04177723M/1/BIOS_H09VC_2.4.EXE" rebootRequired="true" schemaVersion="2.4" size="40821221" vendorVersion="2.4">
    <Name><Display lang="en"><![CDATA[A BIOS & more]]></Display><Display lang="de">Ein BIOS</Display></Name>
    <ComponentType value="BIOS"><Display lang="en"><![CDATA[BIOS]]></Display></ComponentType>
    <SupportedDevices>
      <Device componentID="159" embedded="1">
        <PCIInfo deviceID="0025" vendorID="1E0F"/><Display lang="en">System BIOS</Display>
        <PayloadConfiguration><Image filename="x" id="y" version="9"/></PayloadConfiguration>
      </Device>
      <Device componentID="160"/><Device componentID=""/>
    </SupportedDevices>
    <Criticality value="2"><Display lang="en">Urgent</Display></Criticality>
    <SupportedSystems>
      <Brand key="3" prefix="PE"><Display lang="en">PowerEdge</Display>
        <Model systemID="0ab1" systemIDType="BIOS"><Display lang="en">R0</Display></Model><Model systemID="063A"/></Brand>
      <Brand><Model systemID="0600"/></Brand>
    </SupportedSystems>
  </SoftwareComponent>
  <SoftwareComponent path="x/y.BIN" dellVersion="A01"/>
  <SoftwareComponent path="" vendorVersion="1"/>
  <SoftwareComponent path="z.BIN"/>
</Manifest>
"""
"""In the shape of a published catalogue, and as those are in UTF-16."""
BIOS = Package(
    path="FOLDER04177723M/1/BIOS_H09VC_2.4.EXE",
    version="2.4",
    components=("159", "160"),
    name="A BIOS & more",
    type="BIOS",
    package_type="LW64",
    criticality="2",
    needs_reboot=True,
    size=40821221,
    digests={"md5": "3979c65df3c67a5342d707af89923de5"},
    systems=("0AB1", "063A", "0600"),
)
READ = Catalog((BIOS, Package("x/y.BIN", "A01", ())), "downloads.dell.com", ("https",), "25.04.28")


def read(content: bytes, size: int = 1 << 20) -> Catalog:
    """A catalogue that comes in pieces of this size."""
    reader, source = Reader(), io.BytesIO(content)
    while piece := source.read(size):
        reader.feed(piece)
    return reader.finish()


def outcome(content: bytes, size: int) -> str:
    """What is said of it; "" if nothing is wrong."""
    try:
        read(content, size)
    except CatalogError as refused:
        return str(refused)
    return ""


def refusal(content: bytes) -> str:
    with pytest.raises(CatalogError) as refused:
        read(content)
    return str(refused.value)


@pytest.mark.parametrize("size", [1, 2, 3, 100, 1 << 20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_catalogue_as_published_is_read_in_pieces_of_any_size(size, pack):
    assert read(pack(CAPTURED.encode("utf-16")), size) == READ


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1"])
def test_a_catalogue_may_be_in_any_encoding_that_it_declares(encoding):
    named = encoding.removesuffix("-sig").removesuffix("-le")
    text = CAPTURED.replace("utf-16", named)
    content = b"\xff\xfe" + text.encode(encoding) if encoding == "utf-16-le" else text.encode(encoding)
    assert read(content) == READ


def test_namespaces_do_not_matter():
    assert read(b'<Manifest xmlns="openmanage/cm/dm"><SoftwareComponent path="a" vendorVersion="1"/></Manifest>') == (
        Catalog((Package("a", "1", ()),))
    )


@pytest.mark.parametrize(
    ("inside", "digests"),
    [
        ('<Hash algorithm="SHA256">AB12</Hash>', {"md5": "0f", "sha256": "ab12"}),
        ('<Hash algorithm="SHA-256"> ab12\n</Hash>', {"md5": "0f", "sha256": "ab12"}),
        ('<Hash algorithm="MD5">1e</Hash>', {"md5": "1e"}),
        ('<Hash algorithm="SHA1">ab</Hash><Hash>ab</Hash>', {"md5": "0f"}),
        ('<Hash algorithm="SHA256">no hex</Hash>', {"md5": "0f"}),
    ],
)
def test_digests(inside, digests):
    text = f'<Manifest><SoftwareComponent path="a" vendorVersion="1" hashMD5="0F"><Cryptography>{inside}</Cryptography></SoftwareComponent></Manifest>'
    (package,) = read(text.encode()).packages
    assert package.digests == digests
    assert list(package.to_plain()["digests"]) == [name for name in DIGESTS if name in digests]


BOMB = gzip.compress(b"<Manifest>" + b" " * (catalogs.BYTES_MAX + 1))
REFUSED = [
    # what it is, what is said
    (b"", "line 1, column 1: no element found"),
    (b"<", "unclosed token"),
    (b"no XML", "line 1, column 1: syntax error"),
    (b'{"json": 1}', "not well-formed"),
    (b"<html><body>404</body></html>", "It is no catalog: it begins with <html>, not <Manifest>"),
    (b"<Manifest>", "no element found"),
    (b"<Manifest></Manifest><more/>", "junk after document element"),
    (b"<Manifest><a></b></Manifest>", "mismatched tag"),
    (b'<?xml version="1.0" encoding="klingon"?><Manifest/>', "encoding"),
    (b'<!DOCTYPE x [<!ENTITY a "b">]><Manifest>&a;</Manifest>', "document type definition"),
    (b"<Manifest>&a;</Manifest>", "undefined entity"),
    (gzip.compress(CAPTURED.encode("utf-16"))[:-20], "cut short"),
    (gzip.compress(CAPTURED.encode("utf-16"))[:-8] + bytes(8), "damaged"),
    (b"\x1f\x8b", "cut short"),
    (b"\x1f\x8bnonsense", "damaged"),
    (BOMB, f"larger than {catalogs.BYTES_MAX} bytes"),
    (b'<Manifest a="' + b"x" * 300_000 + b'"/>', "A tag of the catalog is larger"),
    (gzip.compress(b'<Manifest a="' + b"x" * 300_000 + b'"/>'), "A tag of the catalog is larger"),
    (b'<Manifest version="' + b"x" * 2000 + b'"/>', "version has more than 1024 characters"),
    (b'<Manifest><SoftwareComponent path="' + b"x" * 2000 + b'"/></Manifest>', "path has more than 1024 characters"),
    (b"<Manifest><SoftwareComponent><Name><Display>" + b"x" * 2000 + b"</Display></Name></SoftwareComponent></Manifest>", "<Display> of a package has more than 1024 characters"),
    (b"<Manifest>" + b"<SoftwareComponent/>" * (catalogs.PACKAGES_MAX + 1) + b"</Manifest>", None),
    (b"<Manifest>" + b'<SoftwareComponent path="a" vendorVersion="1"/>' * (catalogs.PACKAGES_MAX + 1) + b"</Manifest>", "more than 50000 packages"),
    (b"<Manifest><SoftwareComponent><SupportedDevices>" + b"".join(b'<Device componentID="%d"/>' % n for n in range(5000)) + b"</SupportedDevices></SoftwareComponent></Manifest>", "more than 4096"),
    (b"<Manifest>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</Manifest>", None),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_catalogue_is_refused_in_one_line(row):
    content, said = row
    if said is None:
        assert read(content) == Catalog(())
        return
    told = refusal(content)
    assert said in told
    assert "\n" not in told
    assert len(told) < 200


def test_nothing_is_taken_in_after_a_refusal():
    reader = Reader()
    for piece in (b"<html>", b"<Manifest></Manifest>", b""):
        reader.feed(piece)
    with pytest.raises(CatalogError, match="begins with <html>"):
        reader.finish()


# -- where the packages are -------------------------------------------------------------------------------------------

PLACES = [
    # base location, protocols, path, the catalogue's URI, the package's
    ("", (), "a.img", "http://h:8/repo/Catalog.xml", "http://h:8/repo/a.img"),
    ("", (), "F 1/a#b.img", "https://h/Catalog.xml", "https://h/F%201/a%23b.img"),
    ("", (), "F\\1\\a.img", "https://h/x/y/Catalog.xml", "https://h/x/y/F/1/a.img"),
    ("downloads.dell.com", ("https",), "F/a", "http://h/Catalog.xml", "https://downloads.dell.com/F/a"),
    ("downloads.dell.com", ("https", "http"), "F/a", "http://h/Catalog.xml", "http://downloads.dell.com/F/a"),
    ("h:80/repo/", (), "/F/a", "https://h/Catalog.xml", "https://h:80/repo/F/a"),
    ("http://h2/repo", ("https",), "a", "https://h/Catalog.xml", "http://h2/repo/a"),
    ("\\\\h\\share", (), "a", "http://h/Catalog.xml", "http://h/share/a"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "protocols", "path", "catalog_uri", "uri"), PLACES)
def test_where_a_package_is(base, protocols, path, catalog_uri, uri):
    package = Package(path, "1", ())
    assert location(Catalog((package,), base, protocols), package, catalog_uri) == uri


# -- what is written is read back -------------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=20
).map(str.strip)
HEX = st.text("0123456789abcdef", min_size=1, max_size=64)
NAMES = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=6)
PACKAGES = st.builds(
    Package,
    path=TEXTS.filter(bool),
    version=TEXTS.filter(bool),
    components=st.lists(TEXTS.filter(bool), max_size=3, unique=True).map(tuple),
    name=TEXTS,
    type=TEXTS,
    package_type=TEXTS,
    criticality=TEXTS,
    needs_reboot=st.none() | st.booleans(),
    size=st.none() | st.integers(0, 10**12),
    digests=st.dictionaries(st.sampled_from(DIGESTS), HEX),
    systems=st.lists(NAMES, max_size=3, unique=True).map(tuple),
)
CATALOGS = st.builds(
    Catalog,
    st.lists(PACKAGES, max_size=3).map(tuple),
    TEXTS,
    st.lists(st.sampled_from(PROTOCOLS), unique=True).map(tuple),
    TEXTS,
)


@settings(deadline=None)
@given(CATALOGS, st.integers(1, 50), st.booleans())
def test_what_is_written_is_read_back(catalog, size, packed):
    content = render(catalog)
    assert read(gzip.compress(content) if packed else content, size) == catalog


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_refused(text):
    with pytest.raises(CatalogError, match="cannot hold"):
        render(Catalog((Package("a", "1", (), name=text),)))


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 1500), st.integers(1, 64))
def test_whatever_comes_is_a_catalogue_or_a_refusal(noise, place, size):
    content = CAPTURED.encode("utf-16")
    assert "\n" not in outcome(content[:place] + noise + content[place + len(noise) :], size)
