"""Readers of shards, hub copies and published layouts: labels by name, nothing run, one message when damaged."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from tasks import sources
from tasks.sources.layouts.pickles import load as load_pickle
from tests.fixtures import layouts
from tests.fixtures.layouts import ORDER
from tests.unit.test_sources import CLASSES, KEYS, agree, data

__all__ = ["data"]  # the fixture that every test here uses


class TestShards:
    def test_labels_are_joined_through_classnames(self, data: Path) -> None:
        layouts.shards(data, KEYS, name="wds_zoo", names=["Honey Bee", "dog", "ant"], labels=[1, 2, 0])
        reader = sources.from_webdataset("wds_zoo", CLASSES)
        assert agree(reader("test"))
        assert len(set(reader("test").ids)) == len(ORDER)
        assert reader("test").fingerprint != reader("train").fingerprint

    def test_errors(self, data: Path) -> None:
        reader = sources.from_webdataset("wds_zoo", CLASSES)
        with pytest.raises(sources.NotAtHandError, match=r"0\.tar"):
            reader("test")
        layouts.shards(data, KEYS, name="wds_zoo", names=["ant", "dog"], labels=[1, 0, 2])
        with pytest.raises(BenchError, match="label 2 is beyond the 2 names"):
            reader("test")
        (data / "wds_zoo" / "classnames.txt").write_text("ant\nwasp\ndog\n")
        with pytest.raises(BenchError, match="'wasp' is no class"):
            reader("test")
        (data / "wds_zoo" / "classnames.txt").unlink()
        with pytest.raises(BenchError, match=r"no classnames\.txt"):
            reader("test")

    def test_numbers_become_attributes(self, data: Path) -> None:
        names, labels = ["ant", "bee", "dog"], [2, 0, 1]
        layouts.shards(data, KEYS, name="wds_zoo_test", names=names, labels=labels, numbers=lambda i: (i % 2, i, 9))
        reader = sources.from_webdataset("wds_zoo", CLASSES, numbers=("region", "country"))
        attributes = reader("test").attributes
        assert attributes is not None
        assert attributes["region"].tolist() == ["0", "1", "0", "1", "0", "1", "0"]
        assert list(attributes) == ["region", "country"]
        with pytest.raises(BenchError, match=r"needs a \.npy with at least 4 numbers"):
            sources.from_webdataset("wds_zoo", CLASSES, numbers=tuple("abcd"))("test")

    def test_a_pickled_npy_is_not_run(self, data: Path) -> None:
        layouts.shards(data, KEYS, name="wds_zoo", names=["ant", "bee", "dog"], labels=[2, 0, 1], splits=["test"])
        evil = io.BytesIO()
        np.save(evil, np.array([print], dtype=object), allow_pickle=True)
        with tarfile.open(data / "wds_zoo" / "test" / "0.tar", "w") as archive:
            layouts.add(archive, "x.png", layouts.encoded(0))
            layouts.add(archive, "x.cls", b"1")
            layouts.add(archive, "x.npy", evil.getvalue())
        with pytest.raises(BenchError, match=r"the \.npy of sample 'test/0/x' cannot be read as an array"):
            sources.from_webdataset("wds_zoo", CLASSES, numbers=("region",))("test")

    @pytest.mark.parametrize("trick", ["link", "escape", "absolute", "no label", "text label", "cut off"])
    def test_odd_archives_are_refused(self, data: Path, trick: str) -> None:
        layouts.shards(data, KEYS, name="wds_zoo", names=["ant", "bee", "dog"], labels=[2, 0, 1])
        shard = data / "wds_zoo" / "test" / "0.tar"
        with tarfile.open(shard, "w") as archive:
            name = {"escape": "../x", "absolute": "/x"}.get(trick, "x")
            layouts.add(archive, f"{name}.png", layouts.encoded(0))
            if trick == "link":
                member = tarfile.TarInfo("y.png")
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(member)
            if trick != "no label":
                layouts.add(archive, f"{name}.cls", b"one" if trick == "text label" else b"1")
        if trick == "cut off":
            shard.write_bytes(shard.read_bytes()[:700])
        with pytest.raises(BenchError, match=r"do not trust|needs a picture|whole number|a complete tar|picture"):
            list(sources.from_webdataset("wds_zoo", CLASSES)("test").images)


class TestHub:
    def test_a_local_copy_is_joined_by_its_own_names(self, data: Path) -> None:
        layouts.hub(
            data,
            KEYS,
            repo="me/zoo",
            names=["ant", "honey bee", "dog"],
            image="img",
            label="kind",
            called={"bee": "honey bee"},
        )
        reader = sources.from_huggingface("me/zoo", image="img", label="kind", classes=CLASSES)
        assert agree(reader("test"))
        assert reader.at_hand()
        copy = sources.from_huggingface(str(data / "me" / "zoo"), image="img", label="kind", classes=CLASSES)
        assert copy("test").fingerprint == reader("test").fingerprint != reader("train").fingerprint

    def test_webdataset(self, data: Path) -> None:
        """Tar shards in a repository, as DataComp keeps its copies; .npy becomes attributes."""
        names, labels = ["ant", "bee", "dog"], [2, 0, 1]
        layouts.shards(data, KEYS, name="me/wds_zoo_test", names=names, labels=labels, splits=["test"],
                       numbers=lambda i: (i % 2, 9))  # fmt: skip
        settings = {"image": "webp", "label": "cls", "names": names, "numbers": ("region",)}
        records = sources.from_huggingface("me/wds_zoo_test", **settings)("test")  # type: ignore[arg-type]
        assert agree(records)
        assert records.attributes is not None
        assert records.attributes["region"].tolist() == ["0", "1", "0", "1", "0", "1", "0"]

    def test_imagefolder(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="me/zoo", splits=("train", "test"))
        assert agree(sources.from_huggingface("me/zoo", classes=CLASSES)("test"))

    def test_a_split_without_labels(self, data: Path) -> None:
        """Hubs mark hidden labels with -1, which as a place in a list would be the last class."""
        table = pd.DataFrame({"image": [{"bytes": layouts.encoded(0), "path": None}], "label": [-1]})
        (data / "me" / "zoo").mkdir(parents=True)
        table.to_parquet(data / "me" / "zoo" / "test-00000-of-00001.parquet")
        with pytest.raises(BenchError, match="holds -1; numbers from 0 to 2"):
            sources.from_huggingface("me/zoo", names=["ant", "bee", "dog"])("test")

    def test_errors(self, data: Path) -> None:
        with pytest.raises(sources.NotAtHandError, match="Downloads are switched off"):
            sources.from_huggingface("me/zoo", revision="a" * 40)("test")
        layouts.hub(data, KEYS, repo="me/zoo", names=["ant", "bee", "dog"])
        with pytest.raises(BenchError, match="Unknown column of me/zoo 'lable'. Did you mean 'label'"):
            sources.from_huggingface("me/zoo", label="lable")("test")
        with pytest.raises(BenchError, match="no split 'dev'"):
            sources.from_huggingface("me/zoo")("dev")


class TestLayouts:
    def test_a_pickle_that_asks_for_more_than_arrays_is_refused(self, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self):  # type: ignore[no-untyped-def]
                return (os.system, ("touch " + str(tmp_path / "ran"),))

        for value in ({"data": Evil()}, Path("x"), np.float64):
            (tmp_path / "evil").write_bytes(pickle.dumps(value, protocol=2))
            with pytest.raises(BenchError, match="do not trust"):
                load_pickle(tmp_path / "evil")
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize("protocol", range(2, 6))
    def test_arrays_of_any_protocol_are_read(self, tmp_path: Path, protocol: int) -> None:
        array = np.arange(12, dtype=np.uint8).reshape(3, 4)
        (tmp_path / "batch").write_bytes(pickle.dumps({"data": array, "labels": [1, 2]}, protocol=protocol))
        assert np.array_equal(load_pickle(tmp_path / "batch")["data"], array)

    @pytest.mark.parametrize("protocol", range(2, 6))
    @pytest.mark.parametrize("kind", ["u1", "<i8", ">f4", "?"])
    def test_arrays_of_any_numbers_are_read(self, tmp_path: Path, kind: str, protocol: int) -> None:
        array = np.asfortranarray(np.arange(12).reshape(3, 4).astype(kind))
        (tmp_path / "batch").write_bytes(pickle.dumps({"data": array}, protocol=protocol))
        found = load_pickle(tmp_path / "batch")["data"]
        assert np.array_equal(found, array)
        assert found.dtype == array.dtype

    @pytest.mark.parametrize(("value", "said"), [
        (np.array([{}, None]), "no plain numbers"), (np.array(["a"]), "no plain numbers"),
        (np.zeros(2, [("a", "i4")]), "no plain numbers"),
    ])  # fmt: skip
    def test_arrays_of_anything_else_are_refused(self, tmp_path: Path, value: np.ndarray, said: str) -> None:
        for protocol in range(2, 6):
            (tmp_path / "batch").write_bytes(pickle.dumps({"data": value}, protocol=protocol))
            with pytest.raises(BenchError, match=said):
                load_pickle(tmp_path / "batch")

    @pytest.mark.parametrize("bad", [b"K\x03K\x05", b"J\xff\xff\xff\xffK\x04"])
    def test_an_array_of_another_size_than_it_says_is_refused(self, tmp_path: Path, bad: bytes) -> None:
        whole = pickle.dumps({"data": np.zeros((3, 4), np.uint8)}, protocol=2)
        assert b"K\x03K\x04" in whole
        (tmp_path / "batch").write_bytes(whole.replace(b"K\x03K\x04", bad))
        with pytest.raises(BenchError, match="12 numbers for an array of shape"):
            load_pickle(tmp_path / "batch")

    def test_damaged_files(self, data: Path) -> None:
        layouts.cifar(data, ["dog", "cat", "frog"], names=["dog", "cat", "frog"])
        (data / "cifar-10-batches-py" / "test_batch").write_bytes(b"\x80\x02}q")
        with pytest.raises(BenchError, match="damaged"):
            sources.from_torchvision("CIFAR10")("test")
        layouts.idx(data, ["1", "2", "3"], folder="MNIST")
        (data / "MNIST" / "raw" / "t10k-images-idx3-ubyte").write_bytes(b"<html>")
        with pytest.raises(BenchError, match="cannot be read"):
            sources.from_torchvision("MNIST")("test")

    def test_an_incomplete_copy_is_named(self, data: Path) -> None:
        layouts.dtd(data, ["banded", "woven", "dotted"])
        next((data / "dtd" / "dtd" / "images" / "woven").glob("*_2*.jpg")).unlink()
        with pytest.raises(BenchError, match="1 of 7 listed pictures are not there"):
            sources.from_torchvision("DTD")("test")

    def test_absent_data_says_which_files_go_where(self, data: Path) -> None:
        with pytest.raises(sources.NotAtHandError, match=r"switched off(.|\n)*food-101/images"):
            sources.from_torchvision("Food101")("test")

    def test_a_failed_download_is_one_message(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torchvision

        def fail(*args: object, **settings: object) -> None:
            assert settings == {"split": "test", "download": True}
            raise OSError("Network is unreachable")

        monkeypatch.delenv("BENCH_OFFLINE")
        monkeypatch.setattr(torchvision.datasets, "DTD", fail)
        with pytest.raises(sources.NotAtHandError, match="failed .OSError: Network is unreachable"):
            sources.from_torchvision("DTD")("test")

    def test_unknown_layout(self) -> None:
        with pytest.raises(BenchError, match="Did you mean 'CIFAR10"):
            sources.from_torchvision("CIFAR1")
