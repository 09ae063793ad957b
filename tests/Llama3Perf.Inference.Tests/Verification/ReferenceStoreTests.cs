using Llama3Perf.Inference.Verification;

namespace Llama3Perf.Inference.Tests.Verification;

public sealed class ReferenceStoreTests : IDisposable
{
    private const string Key = "abc-ort-1.24.4-own-pp15-32";

    private readonly string _root = Directory.CreateTempSubdirectory("l3p-references-").FullName;

    private static Reference Some { get; } =
        new(
            "a on ort/cpu",
            [
                new ReferenceCase(
                    "pp2",
                    [1, 2],
                    [0.5f, -1, 3],
                    [2, 0],
                    [
                        [0.5f, -1, 3],
                        [9, 8, 7],
                    ]
                ),
                new ReferenceCase(
                    "pp1",
                    [0],
                    [1, 2, 3],
                    [2],
                    [
                        [1, 2, 3],
                    ]
                ),
            ]
        );

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void What_is_kept_is_found_again()
    {
        ReferenceStore store = new(Path.Combine(_root, "new"));
        Assert.Null(store.Find(Key));

        store.Keep(Key, Some);

        Reference found = store.Find(Key)!;
        Assert.Equivalent(Some, found, strict: true);
        Assert.Null(store.Find(Key + "x"));
        Assert.Single(Directory.GetFiles(Path.Combine(_root, "new")));
    }

    [Fact]
    public void A_file_that_is_not_whole_is_as_good_as_none()
    {
        ReferenceStore store = new(_root);
        store.Keep(Key, Some);
        string file = Directory.GetFiles(_root).Single();
        byte[] whole = File.ReadAllBytes(file);
        foreach (
            byte[] bytes in (byte[][])
                [
                    [],
                    [1, 2],
                    whole[..^1],
                    whole[..^4],
                    whole[..20],
                    [.. whole, 0, 0, 0, 0],
                    [255, .. whole[1..]],
                ]
        )
        {
            File.WriteAllBytes(file, bytes);
            Assert.Null(store.Find(Key));
        }
    }

    [Fact]
    public void Where_nothing_can_be_written_nothing_is_kept()
    {
        string file = Path.Combine(_root, "file");
        File.WriteAllText(file, "");

        new ReferenceStore(file).Keep(Key, Some);

        Assert.Equal([file], Directory.GetFileSystemEntries(_root));
    }
}
