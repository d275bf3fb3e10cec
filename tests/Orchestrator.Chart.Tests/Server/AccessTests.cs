namespace Orchestrator.Chart.Tests.Server;

/// <summary>What the service accounts may do, as the real authorizer reads the chart's rules: exactly what is listed, nowhere else.</summary>
[Collection(nameof(ServerCollection))]
public sealed class AccessTests(ServerFixture fixture)
{
    [Theory]
    [InlineData("controller", "orchestrator-system")]
    [InlineData("controller", "default")]
    [InlineData("proxy", "orchestrator-system")]
    [InlineData("proxy", "default")]
    public async Task A_service_account_may(string component, string @namespace)
    {
        (await fixture.HelmAsync("upgrade", "--install", "orc", Chart.Folder, "--create-namespace")).OrThrow();

        var account = $"system:serviceaccount:{Chart.Namespace}:orc-orchestrator-{component}";
        var answer = (await fixture.Server.KubectlAsync("auth", "can-i", "--list", "--no-headers", "-n", @namespace, "--as", account)).OrThrow();
        (await fixture.HelmAsync("uninstall", "orc")).OrThrow();

        // What every account may: look at itself, and the server's discovery and health.
        var own = answer.Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.TrimStart().StartsWith('[') && !line.StartsWith("selfsubject", StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .Order(StringComparer.Ordinal);
        var expected = Repository.At($"tests/Orchestrator.Chart.Tests/Access/{component}.{@namespace}.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            await File.WriteAllLinesAsync(expected, own, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllLinesAsync(expected, TestContext.Current.CancellationToken), own);
    }
}
