using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Tests.Files;

public sealed class LockFileTests
{
    [Fact]
    public async Task One_holds_it_at_a_time_however_often_it_is_given_up()
    {
        using var folder = new TemporaryFolder();
        string path = folder["a.lock"];
        int holders = 0;
        int most = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Run(() =>
                    {
                        for (int taken = 0; taken < 100; )
                        {
                            try
                            {
                                using var held = LockFile.Take(path);
                                int now = Interlocked.Increment(ref holders);
                                most = Math.Max(most, now);
                                Thread.Yield();
                                Interlocked.Decrement(ref holders);
                                taken++;
                            }
                            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                            {
                                Thread.Yield();
                            }
                        }
                    })
                )
        );

        Assert.Equal(1, most);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_second_one_is_refused_until_the_first_is_gone()
    {
        using var folder = new TemporaryFolder();
        using (LockFile.Take(folder["a.lock"]))
        {
            Assert.ThrowsAny<IOException>(() => LockFile.Take(folder["a.lock"]));
        }

        LockFile.Take(folder["a.lock"]).Dispose();
    }
}
