using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Tests.Engines.Ssh;

public sealed class SshFolderTests : IDisposable
{
    private readonly TemporaryFolder _parent = new();

    public void Dispose() => _parent.Dispose();

    [Fact]
    public async Task Nobody_else_can_read_what_is_in_it_and_it_goes_when_it_is_given_up()
    {
        string path;
        using (var folder = new SshFolder(TimeProvider.System))
        {
            path = folder.Path;
            var file = folder.Write("key", "secret\n");
            Assert.Equal("700\n600", await World.Lab.RunAsync("stat", "--format", "%a", path, file));
            Assert.Equal("secret\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));

            SshFolder.Sweep(Path.GetDirectoryName(path)!, DateTime.UtcNow.AddDays(1));
            Assert.True(File.Exists(file));
        }

        Assert.False(Directory.Exists(path));
    }

    /// <summary>A lock that nobody holds is of a process that has ended, whatever its number was.</summary>
    [Fact]
    public void What_a_killed_process_left_is_taken_away_keys_and_all()
    {
        var (left, unfinished, other) = (_parent["orc-ssh-left"], _parent["orc-ssh-unfinished"], _parent["orc-other"]);
        foreach (var folder in (string[])[left, unfinished, other])
        {
            Directory.CreateDirectory(folder);
        }

        File.WriteAllText(Path.Combine(left, "lock"), "");
        File.WriteAllText(Path.Combine(left, "key"), "secret");

        SshFolder.Sweep(_parent.Path, DateTime.UtcNow);
        Assert.Equal([other, unfinished], Directory.EnumerateDirectories(_parent.Path).Order());

        SshFolder.Sweep(_parent.Path, DateTime.UtcNow.AddMinutes(2));
        Assert.Equal([other], Directory.EnumerateDirectories(_parent.Path));
    }
}
