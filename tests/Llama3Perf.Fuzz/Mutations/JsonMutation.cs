using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Llama3Perf.Fuzz.Mutations;

/// <summary>Damages JSON and leaves it JSON: values of other kinds and sizes, keys that are gone, renamed or there twice, deep
/// nesting.</summary>
internal static class JsonMutation
{
    private static readonly string[] s_values =
    [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "1.5",
        "-0.0",
        "1e308",
        "1e-400",
        "2147483647",
        "2147483648",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551615",
        "1e30",
        "\"\"",
        "\" \"",
        "\"x\"",
        "\"..\"",
        "\"../x\"",
        "\"/etc/passwd\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\n\"",
        "\"(\"",
        "\"(a+)+$\"",
        "\"NaN\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[1,2,3]",
        "[1e9,1e9]",
        "[9223372036854775807,2]",
        "{\"\":null}",
        "{\"a\":1,\"a\":2}",
        "[{}]",
    ];

    public static byte[] Apply(byte[] input, Random random)
    {
        try
        {
            byte[] text = Encoding.UTF8.GetBytes(Damage(JsonNode.Parse(input) ?? new JsonObject(), random).ToJsonString());
            return random.Next(20) == 0 ? Twice(text, random) : text;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // No tree, or one that cannot be walked: a lone surrogate, a key that is there twice.
            return ByteMutation.Apply(input, random);
        }
    }

    private static JsonNode Damage(JsonNode root, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            List<JsonNode> nodes = [];
            Collect(root, nodes);
            root = Once(root, nodes[Pick(nodes.Count, random)], random) ?? root;
        }

        return root;
    }

    // The members near the top are those that a reader looks at; the thousands of a vocabulary are much alike.
    private static int Pick(int count, Random random) => random.Next(3) == 0 ? random.Next(count) : random.Next(Math.Min(count, 80));

    private static void Collect(JsonNode first, List<JsonNode> nodes)
    {
        Queue<JsonNode> open = new([first]);
        while (open.TryDequeue(out JsonNode? node))
        {
            nodes.Add(node);
            IEnumerable<JsonNode?> children = node switch
            {
                JsonObject members => members.Select(member => member.Value),
                JsonArray items => items,
                _ => [],
            };
            foreach (JsonNode child in children.OfType<JsonNode>())
            {
                open.Enqueue(child);
            }
        }
    }

    private static JsonNode? Once(JsonNode root, JsonNode node, Random random)
    {
        switch (random.Next(5))
        {
            case 0 when node is JsonObject { Count: > 0 } members:
                members.Remove(members.ElementAt(random.Next(members.Count)).Key);
                return null;
            case 1 when node is JsonObject { Count: > 0 } members:
                KeyValuePair<string, JsonNode?> member = members.ElementAt(random.Next(members.Count));
                members.Remove(member.Key);
                members[Key(member.Key, random)] = member.Value?.DeepClone();
                return null;
            case 2 when node is JsonArray { Count: > 0 } items:
                items.RemoveAt(random.Next(items.Count));
                return null;
            case 3 when node is JsonArray { Count: > 0 and < 2000 } items:
                items.Add(items[random.Next(items.Count)]?.DeepClone());
                return null;
            default:
                return Replace(root, node, JsonNode.Parse(Value(random)));
        }
    }

    private static string Key(string key, Random random) =>
        random.Next(4) switch
        {
            0 => key + "x",
            1 => "",
            2 => key.ToUpperInvariant(),
            _ => "\0",
        };

    private static string Value(Random random) =>
        random.Next(40) switch
        {
            0 => new string('[', 60) + new string(']', 60),
            1 => "\"" + new string('a', 100_000) + "\"",
            2 => "[" + string.Join(',', Enumerable.Range(0, 5000)) + "]",
            _ => s_values[random.Next(s_values.Length)],
        };

    private static JsonNode? Replace(JsonNode root, JsonNode node, JsonNode? value)
    {
        switch (node.Parent)
        {
            case JsonObject members:
                members[members.First(member => ReferenceEquals(member.Value, node)).Key] = value;
                return null;
            case JsonArray items:
                items[items.IndexOf(node)] = value;
                return null;
            default:
                return value ?? root;
        }
    }

    // A key that is there twice, which no tree can hold.
    private static byte[] Twice(byte[] text, Random random)
    {
        int[] commas = [.. Enumerable.Range(0, text.Length).Where(i => text[i] == ',')];
        if (commas.Length < 2)
        {
            return text;
        }

        int first = random.Next(commas.Length - 1);
        return [.. text[..commas[first + 1]], .. text[commas[first]..]];
    }
}
