using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Models.Tests.Checkpoints;

/// <summary>Whatever bytes a safetensors file has: its tensors lie inside it and apart, or it is refused in one line.</summary>
public sealed class SafetensorsPropertyTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    private static Gen<(string Name, CheckpointType Type, long[] Shape, int Gap)[]> Tensors { get; } =
        Gen.Select(Gen.String[Gen.Char['\u0001', '\ud7ff'], 1, 20], Gen.Enum<CheckpointType>(), Gen.Long[0, 5].Array[0, 4], Gen.Int[0, 9])
            .Array[0, 8]
            .Select(tensors => tensors.DistinctBy(tensor => tensor.Item1).Where(tensor => tensor.Item1 != "__metadata__").ToArray());

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Good_files_are_read_as_they_were_written() =>
        Tensors.Sample(tensors =>
        {
            string path = NewFile();
            (byte[] bytes, List<CheckpointTensor> expected) = File(path, tensors);
            System.IO.File.WriteAllBytes(path, bytes);
            IReadOnlyList<CheckpointTensor> actual = SafetensorsFile.Read(path, _ => true);
            System.IO.File.Delete(path);

            Assert.Equal(expected.Count, actual.Count);
            Assert.All(
                expected.Zip(actual),
                pair =>
                {
                    Assert.Equal(pair.First.Shape, pair.Second.Shape);
                    Assert.Equal(pair.First, pair.Second with { Shape = pair.First.Shape });
                }
            );
        });

    [Fact]
    public void Mutated_and_truncated_files_are_refused_or_sound()
    {
        Gen<(int At, byte Value)[]> changes = Gen.Select(Gen.Int[0, int.MaxValue], Gen.Byte).Array[0, 4];
        Gen.Select(Tensors, changes, Gen.Int[0, 100])
            .Sample(
                (tensors, mutations, kept) =>
                {
                    byte[] bytes = File("", tensors).Bytes;
                    foreach ((int at, byte value) in mutations)
                    {
                        bytes[at % bytes.Length] = value;
                    }

                    SoundOrRefused(bytes[..(bytes.Length * kept / 100)]);
                }
            );
    }

    [Fact]
    public void Wild_headers_are_refused_or_sound()
    {
        Gen<string> value = Gen.OneOf(
            Gen.OneOf(
                "null",
                "{}",
                "[]",
                "\"BF16\"",
                "\"F32\"",
                "[0, 4]",
                "[2]",
                "[1e300]",
                "[9223372036854775807, 2]",
                "[-1, 0]",
                "[0.5]",
                "\"\\ud800\"",
                "[4, 9223372036854775807]",
                "[[1]]",
                "{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}"
            ),
            Gen.Long.Select(number => $"[0, {number}]")
        );
        Gen<string> key = Gen.OneOf("dtype", "shape", "data_offsets", "__metadata__", "a", "\\ud800", "a\\n");
        Gen<string> entry = Gen.Select(key, value)
            .Array[0, 4]
            .Select(pairs => $"{{{string.Join(", ", pairs.Select(pair => $"\"{pair.Item1}\": {pair.Item2}"))}}}");
        Gen.Select(key, Gen.OneOf(entry, value))
            .Array[0, 4]
            .Sample(pairs =>
            {
                string header = $"{{{string.Join(", ", pairs.Select(pair => $"\"{pair.Item1}\": {pair.Item2}"))}}}";
                SoundOrRefused(CheckpointBuilder.Bytes(header, new byte[8]));
            });
    }

    private void SoundOrRefused(byte[] bytes)
    {
        string path = NewFile();
        System.IO.File.WriteAllBytes(path, bytes);
        try
        {
            long end = 0;
            foreach (
                CheckpointTensor tensor in SafetensorsFile
                    .Read(path, _ => true)
                    .Where(tensor => tensor.Length > 0)
                    .OrderBy(tensor => tensor.Offset)
            )
            {
                Assert.True(tensor.Offset >= Math.Max(8, end), "tensors overlap");
                end = tensor.Offset + tensor.Length;
                Assert.InRange(end, 8, bytes.Length);
            }
        }
        catch (ModelException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            Assert.Contains(path, e.Message);
        }

        System.IO.File.Delete(path);
    }

    // CsCheck samples on all threads.
    private string NewFile() => _root[$"{Guid.NewGuid():N}.safetensors"];

    private static (byte[] Bytes, List<CheckpointTensor> Tensors) File(
        string path,
        (string Name, CheckpointType Type, long[] Shape, int Gap)[] tensors
    )
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        List<CheckpointTensor> relative = [];
        long offset = 0;
        foreach ((string name, CheckpointType type, long[] shape, int gap) in tensors)
        {
            offset += gap;
            long length = shape.Aggregate(1L, (product, dim) => product * dim) * (type == CheckpointType.Float32 ? 4 : 2);
            header[name] = new JsonObject
            {
                ["dtype"] = type switch
                {
                    CheckpointType.BFloat16 => "BF16",
                    CheckpointType.Float16 => "F16",
                    _ => "F32",
                },
                ["shape"] = new JsonArray([.. shape.Select(dim => (JsonNode)dim)]),
                ["data_offsets"] = new JsonArray(offset, offset + length),
            };
            relative.Add(new CheckpointTensor(name, type, shape, path, offset, length));
            offset += length;
        }

        string text = header.ToJsonString();
        long start = 8 + Encoding.UTF8.GetByteCount(text);
        return (
            CheckpointBuilder.Bytes(text, new byte[offset]),
            [.. relative.Select(tensor => tensor with { Offset = tensor.Offset + start })]
        );
    }
}
