using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Tests.Serving;

public sealed class ProxyFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_record_of_a_pid_that_belongs_to_somebody_else_now_is_no_record()
    {
        var folder = new ProxyFolder(_folder.Path);
        folder.Create();
        var self = ProcessIdentity.Of(Environment.ProcessId)!;

        folder.Write(new ProxyRecord(self, "1", null, []));
        Assert.Equal(self, folder.Read()?.Process);
        folder.Write(new ProxyRecord(self with { StartTime = self.StartTime - 1 }, "1", null, []));
        Assert.Null(folder.Read());
        folder.Write(new ProxyRecord(self with { BootId = "another" }, "1", null, []));
        Assert.Null(folder.Read());
    }

    [Fact]
    public void A_spoiled_record_is_no_record()
    {
        var folder = new ProxyFolder(_folder.Path);
        folder.Create();
        File.WriteAllText(Path.Combine(folder.StateFolder, "process.json"), "{");

        Assert.Null(folder.Read());
    }

    [Fact]
    public void The_lock_is_had_by_one_and_free_when_it_is_let_go()
    {
        var folder = new ProxyFolder(_folder.Path);

        using (folder.TryLock())
        {
            Assert.True(folder.IsLocked());
        }

        Assert.False(folder.IsLocked());
    }

    [Fact]
    public void No_process_has_no_identity() => Assert.Null(ProcessIdentity.Of(int.MaxValue));
}
