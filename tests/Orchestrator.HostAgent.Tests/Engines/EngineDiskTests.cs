using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines;

public sealed class EngineDiskTests
{
    /// <summary>The folder that an engine names is one of its own machine: behind ssh a socket's path says nothing of ours.</summary>
    [Theory]
    [InlineData("unix:///var/run/docker.sock", "/", true)]
    [InlineData("unix:///var/run/docker.sock", "/no/such/folder", false)]
    [InlineData("unix:///var/run/docker.sock", null, false)]
    [InlineData("tcp://10.0.0.1:2376", "/", false)]
    [InlineData("ssh://user@example.org/run/docker.sock", "/", false)]
    public void The_disk_is_known_only_of_an_engine_of_this_machine(string endpoint, string? folder, bool known)
    {
        var disk = EngineDisk.Of(EngineEndpoint.Parse(endpoint), new EngineFacts("20.10.24", "1.41", "Debian", "amd64", 2, 1024, folder));

        Assert.Equal(known, disk is not null);
        Assert.True(disk is null || disk.UsedBytes <= disk.TotalBytes);
    }
}
