using System.Runtime.InteropServices;
using CsCheck;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Tests.Native;

public sealed class NativeImageTests
{
    private static readonly byte[][] s_magics =
    [
        [0x7F, 0x45, 0x4C, 0x46],
        [0x4D, 0x5A],
        [0xCF, 0xFA, 0xED, 0xFE],
        [0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0],
        [],
    ];

    [Fact]
    public void This_runtimes_own_library_fits_this_process()
    {
        string file =
            OperatingSystem.IsWindows() ? "coreclr.dll"
            : OperatingSystem.IsMacOS() ? "libcoreclr.dylib"
            : "libcoreclr.so";
        NativeImage? image = NativeImage.Read(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), file));
        Assert.NotNull(image);
        Assert.True(image.FitsThisProcess, image.Describe());
    }

    [Theory]
    [InlineData(0x3E, false, Architecture.X64)]
    [InlineData(0xB7, false, Architecture.Arm64)]
    [InlineData(0xB7, true, Architecture.Arm64)]
    [InlineData(0xF3, false, Architecture.RiscV64)]
    public void An_elf_header_names_the_processor(int machine, bool bigEndian, Architecture expected)
    {
        NativeImage? image = NativeImage.Parse(Elf((ushort)machine, bigEndian));
        Assert.Equal("Linux", image?.System);
        Assert.Equal([expected], image!.Architectures);
    }

    [Fact]
    public void A_processor_that_dotnet_does_not_know_fits_nothing()
    {
        NativeImage? image = NativeImage.Parse(Elf(0x15, bigEndian: true));
        Assert.NotNull(image);
        Assert.False(image.FitsThisProcess);
        Assert.Contains("another processor", image.Describe(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x8664, Architecture.X64)]
    [InlineData(0xAA64, Architecture.Arm64)]
    [InlineData(0x014C, Architecture.X86)]
    public void A_pe_header_names_the_processor(int machine, Architecture expected)
    {
        byte[] header = new byte[256];
        "MZ"u8.CopyTo(header);
        header[0x3C] = 0x80;
        "PE\0\0"u8.CopyTo(header.AsSpan(0x80));
        BitConverter.TryWriteBytes(header.AsSpan(0x84), (ushort)machine);
        NativeImage? image = NativeImage.Parse(header);
        Assert.Equal("Windows", image?.System);
        Assert.Equal([expected], image!.Architectures);
    }

    [Fact]
    public void A_mach_o_file_is_read_thin_and_universal()
    {
        Assert.Equal([Architecture.Arm64], NativeImage.Parse([0xCF, 0xFA, 0xED, 0xFE, 0x0C, 0, 0, 1])?.Architectures);
        byte[] universal = new byte[48];
        ReadOnlySpan<byte> magic = [0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 2, 1, 0, 0, 7];
        magic.CopyTo(universal);
        ReadOnlySpan<byte> second = [1, 0, 0, 0x0C];
        second.CopyTo(universal.AsSpan(28));
        Assert.Equal([Architecture.X64, Architecture.Arm64], NativeImage.Parse(universal)?.Architectures);
    }

    [Fact]
    public void Other_files_are_no_libraries()
    {
        Assert.Null(NativeImage.Parse("version https://git-lfs.github.com/spec/v1"u8));
        Assert.Null(NativeImage.Parse([]));
        Assert.Null(NativeImage.Parse("MZ but a text"u8));
        Assert.Null(NativeImage.Parse([0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 0x41, 0, 0]));
    }

    [Fact]
    public void No_bytes_break_the_parser() =>
        Gen.Select(Gen.Int[0, s_magics.Length - 1], Gen.Byte.Array[0, 200])
            .Sample((magic, rest) => _ = NativeImage.Parse([.. s_magics[magic], .. rest]));

    private static byte[] Elf(ushort machine, bool bigEndian)
    {
        byte[] header = new byte[64];
        header[0] = 0x7F;
        "ELF"u8.CopyTo(header.AsSpan(1));
        header[4] = 2;
        header[5] = (byte)(bigEndian ? 2 : 1);
        header[18] = (byte)(bigEndian ? machine >> 8 : machine);
        header[19] = (byte)(bigEndian ? machine : machine >> 8);
        return header;
    }
}
