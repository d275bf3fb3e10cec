using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.ApiServer;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>The embedded API server, or another one, empty, whose admin kubeconfig the variable TEST_KUBECONFIG names.</summary>
internal static class TestApiServer
{
    public static async Task<(IAsyncDisposable? Server, string Kubeconfig)> StartAsync(string dataFolder)
    {
        if (Environment.GetEnvironmentVariable("TEST_KUBECONFIG") is { Length: > 0 } given)
        {
            return (null, given);
        }

        var server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = dataFolder, Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, default);
        return (server, server.AdminKubeconfig);
    }
}
