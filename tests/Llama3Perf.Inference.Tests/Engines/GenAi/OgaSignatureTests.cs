using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Tests.Native;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>Our declarations of the C API against the header that came with the library, and against the library itself.</summary>
[Collection(RealGenAiTests.Collection)]
public sealed partial class OgaSignatureTests
{
    private static readonly MethodInfo[] s_methods =
    [
        .. new[] { typeof(Oga), typeof(OgaSpeculation) }
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Where(method => method.Name.StartsWith("Oga", StringComparison.Ordinal)),
    ];

    [Fact]
    public void Every_declaration_is_the_headers()
    {
        Dictionary<string, string> header = Header();
        Assert.True(
            s_methods.Length > 30 && header.Count > s_methods.Length,
            $"{s_methods.Length} declarations, {header.Count} in the header"
        );
        Assert.All(
            Required(header.ContainsKey),
            method =>
            {
                Assert.True(header.TryGetValue(method.Name, out string? expected), $"{method.Name} is not in the header");
                Assert.Equal(expected, Signature(method));
            }
        );
    }

    [Fact]
    public void Every_declaration_is_an_entry_point_of_the_library()
    {
        TestRuntime.SkipWithoutGenAi();
        nint library = Oga.RequireLibrary();
        Assert.All(
            Required(name => NativeLibrary.TryGetExport(library, name, out _)),
            method => Assert.True(NativeLibrary.TryGetExport(library, method.Name, out _), method.Name)
        );
    }

    [Theory]
    [InlineData("OgaResult* OGA_API_CALL OgaX(const char* a, size_t n, bool b);", "pointer(pointer, size, bool)")]
    [InlineData("void OGA_API_CALL OgaX();", "void()")]
    [InlineData(
        "OgaResult* OGA_API_CALL OgaX(const OgaY* y,\n    double v, int32_t i, int64_t* d, OgaZ** z);",
        "pointer(pointer, double, int, pointer, pointer)"
    )]
    public void A_header_is_read(string declaration, string expected) => Assert.Equal(expected, Read("OGA_EXPORT " + declaration)["OgaX"]);

    // Speculative decoding is all there or not at all: the native set DirectML's library is older, and the engine asks before it uses it.
    private static IEnumerable<MethodInfo> Required(Func<string, bool> has) =>
        s_methods
            .GroupBy(method => method.DeclaringType)
            .Where(type => type.Key != typeof(OgaSpeculation) || type.Any(method => has(method.Name)))
            .SelectMany(type => type);

    private static Dictionary<string, string> Header()
    {
        string? path = typeof(OgaSignatureTests)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(data => data.Key == "GenAiHeader")
            ?.Value;
        Assert.SkipWhen(path is null, "the native set has no onnxruntime-genai");
        Assert.SkipUnless(File.Exists(path), $"{path} is not there: built on another machine");
        return Read(File.ReadAllText(path!));
    }

    // Kinds as both languages pass them: pointers of any kind are one.
    private static Dictionary<string, string> Read(string header) =>
        Declaration()
            .Matches(header)
            .DistinctBy(match => match.Groups["name"].Value)
            .ToDictionary(
                match => match.Groups["name"].Value,
                match =>
                    Line(
                        Kind(match.Groups["result"].Value),
                        match
                            .Groups["parameters"]
                            .Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                            .Select(Kind)
                    )
            );

    private static string Kind(string declared) =>
        declared.Contains('*', StringComparison.Ordinal) ? "pointer"
        : declared.Contains("size_t", StringComparison.Ordinal) ? "size"
        : declared.Contains("bool", StringComparison.Ordinal) ? "bool"
        : declared.Contains("double", StringComparison.Ordinal) ? "double"
        : declared.Contains("void", StringComparison.Ordinal) ? "void"
        : declared.Contains("int", StringComparison.Ordinal) ? "int"
        : declared;

    private static string Signature(MethodInfo method) =>
        Line(
            Kind(method.ReturnType, method.ReturnParameter),
            method.GetParameters().Select(parameter => Kind(parameter.ParameterType, parameter))
        );

    private static string Line(string result, IEnumerable<string> parameters) => $"{result}({string.Join(", ", parameters)})";

    private static string Kind(Type type, ParameterInfo parameter) =>
        type.IsByRef || type.IsPointer || type == typeof(nint) || type == typeof(string) || type.IsSubclassOf(typeof(SafeHandle))
            ? "pointer"
        : type == typeof(nuint) ? "size"
        : type == typeof(double) ? "double"
        : type == typeof(void) ? "void"
        : type == typeof(int) ? "int"
        : type == typeof(bool) && parameter.GetCustomAttribute<MarshalAsAttribute>()?.Value == UnmanagedType.I1 ? "bool"
        : type.Name;

    [GeneratedRegex(
        @"OGA_EXPORT\s+(?<result>[\w\s\*]+?)\s*OGA_API_CALL\s+(?<name>Oga\w+)\s*\((?<parameters>[^;{]*?)\)\s*;",
        RegexOptions.None,
        matchTimeoutMilliseconds: 10_000
    )]
    private static partial Regex Declaration();
}
