using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Native;

/// <summary>What a file's first bytes say about a native library: the system and the processors that it was built for.</summary>
/// <param name="System"><c>Windows</c> (PE), <c>Linux</c> (ELF) or <c>macOS</c> (Mach-O).</param>
/// <param name="Architectures">One, or several in a universal Mach-O file. Empty when the processor is one that .NET does not run
/// on.</param>
internal sealed record NativeImage(string System, IReadOnlyList<Architecture> Architectures)
{
    private const int HeaderBytes = 4096;

    /// <summary>True when this process could load it.</summary>
    public bool FitsThisProcess => System == ThisSystem && Architectures.Contains(RuntimeInformation.ProcessArchitecture);

    private static string ThisSystem =>
        OperatingSystem.IsWindows() ? "Windows"
        : OperatingSystem.IsMacOS() ? "macOS"
        : "Linux";

    /// <summary>Reads a file's header; null when it is no native library.</summary>
    public static NativeImage? Read(string path)
    {
        byte[] header = new byte[HeaderBytes];
        using FileStream file = File.OpenRead(path);
        int length = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        return Parse(header.AsSpan(0, length));
    }

    /// <summary>Parses the first bytes of a file.</summary>
    public static NativeImage? Parse(ReadOnlySpan<byte> header) =>
        header switch
        {
            [0x7F, (byte)'E', (byte)'L', (byte)'F', _, var order, ..] when header.Length >= 20 => new NativeImage(
                "Linux",
                One(FromElf(ReadUInt16(header[18..], order == 2)))
            ),
            [(byte)'M', (byte)'Z', ..] => ParsePe(header),
            [0xCF or 0xCE, 0xFA, 0xED, 0xFE, ..] when header.Length >= 8 => new NativeImage(
                "macOS",
                One(FromMachO(BinaryPrimitives.ReadUInt32LittleEndian(header[4..])))
            ),
            [0xCA, 0xFE, 0xBA, 0xBE, ..] => ParseUniversal(header),
            _ => null,
        };

    /// <summary>The image and this process in words, for an error message.</summary>
    public string Describe() =>
        $"a library for {System} {(Architectures.Count == 0 ? "on another processor" : string.Join('+', Architectures))}, and this process "
        + $"is {ThisSystem} {RuntimeInformation.ProcessArchitecture}";

    private static NativeImage? ParsePe(ReadOnlySpan<byte> header)
    {
        if (header.Length < 0x40)
        {
            return null;
        }

        int offset = BinaryPrimitives.ReadInt32LittleEndian(header[0x3C..]);
        if (offset < 0 || offset > header.Length - 6 || !header.Slice(offset, 4).SequenceEqual("PE\0\0"u8))
        {
            return null;
        }

        return new NativeImage(
            "Windows",
            One(
                BinaryPrimitives.ReadUInt16LittleEndian(header[(offset + 4)..]) switch
                {
                    0x8664 => Architecture.X64,
                    0xAA64 => Architecture.Arm64,
                    0x014C => Architecture.X86,
                    0x01C4 => Architecture.Arm,
                    _ => null,
                }
            )
        );
    }

    private static NativeImage? ParseUniversal(ReadOnlySpan<byte> header)
    {
        // A Java class file starts with the same four bytes; its "count" is a version above 40.
        const int EntryBytes = 20;
        if (
            header.Length < 8
            || BinaryPrimitives.ReadUInt32BigEndian(header[4..]) is not (> 0 and < 16 and var count)
            || header.Length < 8 + (count * EntryBytes)
        )
        {
            return null;
        }

        List<Architecture> found = [];
        for (int i = 0; i < count; i++)
        {
            found.AddRange(One(FromMachO(BinaryPrimitives.ReadUInt32BigEndian(header[(8 + (i * EntryBytes))..]))));
        }

        return new NativeImage("macOS", found);
    }

    private static Architecture? FromElf(ushort machine) =>
        machine switch
        {
            0x3E => Architecture.X64,
            0xB7 => Architecture.Arm64,
            0x03 => Architecture.X86,
            0x28 => Architecture.Arm,
            0xF3 => Architecture.RiscV64,
            0x102 => Architecture.LoongArch64,
            _ => null,
        };

    private static Architecture? FromMachO(uint cpu) =>
        cpu switch
        {
            0x0100_0007 => Architecture.X64,
            0x0100_000C => Architecture.Arm64,
            _ => null,
        };

    private static ushort ReadUInt16(ReadOnlySpan<byte> source, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(source) : BinaryPrimitives.ReadUInt16LittleEndian(source);

    private static Architecture[] One(Architecture? architecture) => architecture is { } known ? [known] : [];
}
