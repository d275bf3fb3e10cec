namespace Orchestrator.Chart.Tests.Server;

[Collection(nameof(ServerCollection))]
public sealed class RealServerManifestTests(ServerFixture fixture) : ManifestTests
{
    protected override Task<Command> KubectlAsync(params IReadOnlyList<string> arguments) => fixture.Server.KubectlAsync(arguments);
}
