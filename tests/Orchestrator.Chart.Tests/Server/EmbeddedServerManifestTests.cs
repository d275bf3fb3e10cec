using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.ApiServer;

namespace Orchestrator.Chart.Tests.Server;

public sealed class EmbeddedServerManifestTests(EmbeddedServerManifestTests.Fixture fixture)
    : ManifestTests, IClassFixture<EmbeddedServerManifestTests.Fixture>
{
    protected override async Task<Command> KubectlAsync(params IReadOnlyList<string> arguments) => await Command.RunAsync(
        await Dependency.PathOf("kubectl"),
        ["--kubeconfig", fixture.Server.AdminKubeconfig, "--cache-dir", fixture.Folder["kubectl"], .. arguments]);

    public sealed class Fixture : IAsyncLifetime
    {
        private EmbeddedApiServer? _server;

        public TemporaryFolder Folder { get; } = new();

        public EmbeddedApiServer Server => _server ?? throw new InvalidOperationException("not started");

        public async ValueTask InitializeAsync() => _server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = Folder["data"], Port = 0 },
            NullLoggerFactory.Instance,
            TimeProvider.System,
            TestContext.Current.CancellationToken);

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }

            Folder.Dispose();
        }
    }
}
