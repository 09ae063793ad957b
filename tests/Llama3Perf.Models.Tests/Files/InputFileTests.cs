using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Tests.Files;

public sealed class InputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_copy_of_a_read_only_file_can_be_written()
    {
        string source = Path.Combine(_folder.Path, "source");
        string copy = Path.Combine(_folder.Path, "copy");
        File.WriteAllText(source, "text");
        File.SetAttributes(source, FileAttributes.ReadOnly);
        try
        {
            InputFile.Copy(source, copy);

            Assert.Equal("text", File.ReadAllText(copy));
            Assert.False(File.GetAttributes(copy).HasFlag(FileAttributes.ReadOnly));
        }
        finally
        {
            File.SetAttributes(source, FileAttributes.Normal);
        }
    }

    public void Dispose() => _folder.Dispose();
}
