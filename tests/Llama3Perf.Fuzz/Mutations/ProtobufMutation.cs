using System.Buffers.Binary;

namespace Llama3Perf.Fuzz.Mutations;

/// <summary>
/// Damages a protocol buffer and leaves it one: fields that are gone, doubled, moved to another message or hold another number.
/// Moved strings are what makes cycles and missing inputs in an ONNX graph.
/// </summary>
internal static class ProtobufMutation
{
    private const int Deepest = 6;

    private static readonly ulong[] s_numbers =
    [
        0,
        1,
        2,
        7,
        10,
        16,
        255,
        65536,
        int.MaxValue,
        1UL << 31,
        1UL << 32,
        long.MaxValue,
        1UL << 63,
        ulong.MaxValue,
        ulong.MaxValue - 1,
        1UL << 40,
    ];

    public static byte[] Apply(byte[] input, Random random)
    {
        if (Parse(input, 0) is not { } root)
        {
            return ByteMutation.Apply(input, random);
        }

        for (int i = random.Next(1, 4); i > 0; i--)
        {
            Once(root, random);
        }

        byte[] result = [.. Write(root)];
        return random.Next(10) == 0 ? ByteMutation.Apply(result, random) : result;
    }

    private static void Once(List<Field> root, Random random)
    {
        List<(List<Field> Owner, int Index)> all = [];
        Collect(root, all);
        if (all.Count == 0)
        {
            return;
        }

        (List<Field> owner, int index) = all[random.Next(all.Count)];
        (List<Field> other, int otherIndex) = all[random.Next(all.Count)];
        Field field = owner[index];
        switch (random.Next(7))
        {
            case 0:
                owner.RemoveAt(index);
                break;
            case 1:
                owner.Insert(index, Copy(field));
                break;
            case 2:
                // The contents of a field of the same kind elsewhere: names change places.
                owner[index] = Same(all, field, random) is { } same
                    ? field with
                    {
                        Bytes = same.Bytes,
                        Children = Copy(same).Children,
                        Number = same.Number,
                    }
                    : field;
                break;
            case 3 when field.WireType == 0:
                owner[index] = field with { Number = s_numbers[random.Next(s_numbers.Length)] };
                break;
            case 4 when field.Children is null && field.WireType == 2:
                owner[index] = field with { Bytes = ByteMutation.Apply(field.Bytes, random) };
                break;
            case 5:
                owner[index] = field with { Id = (uint)random.Next(1, 30) };
                break;
            default:
                other.Insert(Math.Min(otherIndex, other.Count), Copy(field));
                break;
        }
    }

    // A message that is put into one of its own fields must not become its own part.
    private static Field Copy(Field field) => field.Children is { } children ? field with { Children = [.. children.Select(Copy)] } : field;

    private static Field? Same(List<(List<Field> Owner, int Index)> all, Field field, Random random)
    {
        Field[] same =
        [
            .. all.Select(place => place.Owner[place.Index])
                .Where(other => other.WireType == field.WireType && (other.Children is null) == (field.Children is null)),
        ];
        return same.Length > 0 ? same[random.Next(same.Length)] : null;
    }

    private static void Collect(List<Field> fields, List<(List<Field> Owner, int Index)> all)
    {
        for (int i = 0; i < fields.Count; i++)
        {
            all.Add((fields, i));
            if (fields[i].Children is { } children)
            {
                Collect(children, all);
            }
        }
    }

    // Whatever parses as a message is taken for one; a name that happens to do so is only damaged in another way.
    private static List<Field>? Parse(ReadOnlySpan<byte> bytes, int depth)
    {
        List<Field> fields = [];
        while (bytes.Length > 0)
        {
            if (!Varint(ref bytes, out ulong key) || key >> 3 is 0 or > 1000)
            {
                return null;
            }

            ulong number = 0;
            byte[] contents = [];
            int wireType = (int)(key & 7);
            switch (wireType)
            {
                case 0 when Varint(ref bytes, out number):
                    break;
                case 1 when bytes.Length >= 8:
                    number = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
                    bytes = bytes[8..];
                    break;
                case 5 when bytes.Length >= 4:
                    number = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
                    bytes = bytes[4..];
                    break;
                case 2 when Varint(ref bytes, out ulong length) && length <= (ulong)bytes.Length:
                    contents = bytes[..(int)length].ToArray();
                    bytes = bytes[(int)length..];
                    break;
                default:
                    return null;
            }

            fields.Add(
                new Field(
                    (uint)(key >> 3),
                    wireType,
                    number,
                    contents,
                    wireType == 2 && depth < Deepest && contents.Length > 1 ? Parse(contents, depth + 1) : null
                )
            );
        }

        return fields;
    }

    private static bool Varint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (int i = 0; i < Math.Min(10, bytes.Length); i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    private static IEnumerable<byte> Write(IEnumerable<Field> fields) =>
        fields.SelectMany(field =>
        {
            IEnumerable<byte> key = Bytes((field.Id << 3) | (uint)field.WireType);
            byte[] contents = field.Children is { } children ? [.. Write(children)] : field.Bytes;
            return field.WireType switch
            {
                0 => key.Concat(Bytes(field.Number)),
                1 => key.Concat(BitConverter.GetBytes(field.Number)),
                5 => key.Concat(BitConverter.GetBytes((uint)field.Number)),
                _ => key.Concat(Bytes((ulong)contents.Length)).Concat(contents),
            };
        });

    private static IEnumerable<byte> Bytes(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)(value | 0x80);
        }

        yield return (byte)value;
    }

    private sealed record Field(uint Id, int WireType, ulong Number, byte[] Bytes, List<Field>? Children);
}
