using CsCheck;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class ParsersNeverThrowTests
{
    private static readonly string[] s_files =
    [
        .. Directory
            .GetFiles(CapturedFiles.Folder(""), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllText),
        "",
    ];

    // Whole captured files lead into the parsers; a random piece cut out and noise put in lead off the way again.
    private static readonly Gen<string> s_text = Gen.Select(Gen.Int[0, s_files.Length - 1], Gen.String, Gen.Int[0, 2000], Gen.Int[0, 200])
        .Select(
            (index, noise, at, length) =>
            {
                string file = s_files[index];
                int start = Math.Min(at, file.Length);
                return file[..start] + noise + file[Math.Min(start + length, file.Length)..];
            }
        );

    [Fact]
    public void Whatever_a_tool_prints_it_is_read_or_left_unknown() =>
        s_text.Sample(
            text =>
            {
                NvidiaSmiParser.ParseGpus(text);
                NvidiaSmiParser.ParseProcessBytes(text, 1);
                LinuxParser.CpuName(text);
                LinuxParser.OsName(text);
                LinuxParser.Kilobytes(text, "MemTotal");
                LinuxParser.Bytes(text);
                LinuxParser.Uevent(text);
                LinuxParser.NvidiaVersion(text);
                PciIds.Name(text.Split('\n'), "0x8086", "0x7d55");
                PciIds.Name(text.Split('\n'), text, text);
                MacOSParser.Gpus(text);
                MacOSParser.PowerSource(text, text);
                MacOSParser.PlatformId(text);
                MacOSParser.AvailableBytes(text);
                MacOSParser.OsBuild(text);
                WindowsParser.PowerPlan(text);
                WindowsParser.OsBuild(text, text, text, 1);
                WindowsParser.Date(text);
                WindowsParser.WithDrivers([new GpuInfo { VendorId = text, DeviceId = "0x7d55" }], [new DisplayDriver(text, text, text)]);
            },
            iter: 2000
        );

    [Theory]
    [InlineData("{\"SPDisplaysDataType\":[{\"sppci_model\":\"\\ud800\"},7,{\"sppci_model\":5}]}")]
    [InlineData("{\"SPDisplaysDataType\":{}}")]
    [InlineData("[]")]
    public void Json_of_another_form_has_no_names(string json) => Assert.All(MacOSParser.Gpus(json), gpu => Assert.Null(gpu.Name));
}
