namespace Orchestrator.Chart.Tests.Server;

/// <summary>What the service accounts may do, as the real authorizer reads the chart's rules: exactly what is listed, nowhere else.</summary>
[Collection(nameof(ServerCollection))]
public sealed class AccessTests(ServerFixture fixture)
{
    [Theory]
    [InlineData("controller", "orchestrator-system")]
    [InlineData("controller", "default")]
    [InlineData("proxy", "orchestrator-system")]
    [InlineData("controller", "orchestrator-proxies")]
    [InlineData("proxy", "orchestrator-proxies")]
    [InlineData("proxy", "default")]
    public async Task A_service_account_may(string component, string @namespace)
    {
        (await fixture.HelmAsync("upgrade", "--install", "orc", Chart.Folder, "--create-namespace")).OrThrow();

        var expected = Repository.At($"tests/Orchestrator.Chart.Tests/Access/{component}.{@namespace}.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            await File.WriteAllTextAsync(expected, await Allowed(component, @namespace), TestContext.Current.CancellationToken);
        }

        // The authorizer reads roles through a watch of its own: what was just installed counts a moment later.
        var listed = await File.ReadAllTextAsync(expected, TestContext.Current.CancellationToken);
        await Eventually.See(() => Allowed(component, @namespace), seen => seen == listed);
        (await fixture.HelmAsync("uninstall", "orc")).OrThrow();
    }

    /// <returns>A line for each rule, without what every account may: look at itself, and the server's discovery and health.</returns>
    private async Task<string> Allowed(string component, string @namespace)
    {
        var account = $"system:serviceaccount:{Chart.Namespace}:orc-orchestrator-{component}";
        var answer = await fixture.Server.KubectlAsync("auth", "can-i", "--list", "--no-headers", "-n", @namespace, "--as", account);
        return string.Concat(answer.OrThrow().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.TrimStart().StartsWith('[') && !line.StartsWith("selfsubject", StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) + '\n')
            .Order(StringComparer.Ordinal));
    }
}
