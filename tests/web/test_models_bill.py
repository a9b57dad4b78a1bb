"""The bill of materials of a model, from its page."""

from web.testing import Site

BROUGHT = "c" * 64


def test_the_page_of_a_model_leads_to_its_bill(site: Site) -> None:
    """As a file for other programs."""
    with site.client("administrator") as client:
        page = client.get(f"/models/{BROUGHT}")
        assert f'href="/models/{BROUGHT}/bom.json"' in page.text
        answer = client.get(f"/models/{BROUGHT}/bom.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.cyclonedx+json"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content == b"{}"


def test_a_model_without_files_here_has_none(site: Site) -> None:
    """404, as for a digest that nobody knows."""
    with site.client("administrator") as client:
        for digest in ("a" * 64, "9" * 64):
            assert client.get(f"/models/{digest}/bom.json").status_code == 404


def test_the_bill_is_for_those_who_see_the_models(site: Site) -> None:
    """Others are refused as on the page itself."""
    with site.client("staff") as client:
        page = client.get(f"/models/{BROUGHT}")
        bill = client.get(f"/models/{BROUGHT}/bom.json")
    assert page.status_code == bill.status_code == 403
