using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Tests.Containers;

internal static class Snapshots
{
    public static ContainerSnapshot Of(
        ContainerState state,
        bool always = true,
        DateTimeOffset? started = null,
        DateTimeOffset? finished = null,
        long exitCode = 0,
        long restarts = 0,
        string id = "c1",
        bool outOfMemory = false) =>
        new(id, "orc-default-web", new Dictionary<string, string>(), "uid", state, always, started, finished, exitCode, outOfMemory, restarts);
}
