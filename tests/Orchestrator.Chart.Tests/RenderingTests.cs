namespace Orchestrator.Chart.Tests;

public sealed class RenderingTests
{
    [Fact]
    public async Task Lint_finds_nothing()
    {
        var lint = await Chart.HelmAsync("lint", "--strict", Chart.Folder);

        Assert.Equal(0, lint.ExitCode);
        Assert.DoesNotContain("[WARNING]", lint.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("[ERROR]", lint.Output, StringComparison.Ordinal);
    }

    /// <summary>With <c>UPDATE_GOLDEN=1</c> what comes out becomes what is expected, to be read before it is committed.</summary>
    [Theory]
    [MemberData(nameof(Chart.Cases), MemberType = typeof(Chart))]
    public async Task Values_render_to(string name)
    {
        var rendered = await Chart.RenderAsync(name);

        var expected = Chart.At(name, "expected.yaml");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            await File.WriteAllTextAsync(expected, rendered, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllTextAsync(expected, TestContext.Current.CancellationToken), rendered);
    }

    [Theory]
    [InlineData("proxy.servce.port=80", "/proxy", "servce")]
    [InlineData("replicas=3", "replicas", "not allowed")]
    [InlineData("proxy.port=0", "/proxy/port", "got 0")]
    [InlineData("proxy.extraPorts={70000}", "/proxy/extraPorts/0", "70,000")]
    [InlineData("proxy.kind=StatefulSet", "/proxy/kind", "'Deployment', 'DaemonSet'")]
    [InlineData("proxy.service.type=Local", "/proxy/service/type", "'LoadBalancer'")]
    [InlineData("controller.replicas=-1", "/controller/replicas", "got -1")]
    [InlineData("controller.acme.email=web@example.org", "/controller/acme/acceptTerms", "must be true")]
    [InlineData("controller.rebalance=off-hours", "/controller/rebalance", "got string, want boolean")]
    [InlineData("controller.resources.limits.memory=1GB", "/controller/resources/limits/memory", "1GB")]
    [InlineData("controller.podDisruptionBudget.maxUnavailable=0", "/controller/podDisruptionBudget/maxUnavailable", "got 0")]
    [InlineData("image.repository=orc:v1", "/image/repository", "orc:v1")]
    [InlineData("image.digest=abc", "/image/digest", "abc")]
    public async Task A_wrong_value_is_refused_by_its_path(string value, string path, string reason)
    {
        var refused = await Chart.HelmAsync("template", "orc", Chart.Folder, "--set", value);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(path, refused.Errors, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_kept_from_a_chart_that_did_not_know_it_do_not_turn_rebalancing_off()
    {
        var rendered = await Chart.HelmAsync("template", "orc", Chart.Folder, "--set", "controller.rebalance=null");

        Assert.Equal(0, rendered.ExitCode);
        Assert.DoesNotContain("--no-rebalance", rendered.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_value_has_a_comment()
    {
        var lines = File.ReadAllLines(Path.Combine(Chart.Folder, "values.yaml"));
        var bare = new List<string>();
        for (var line = 1; line < lines.Length; line++)
        {
            // A value by itself; a parent explains itself by what is in it. Values in a row may share a comment.
            var isValue = lines[line].Contains(": ", StringComparison.Ordinal) && !lines[line].TrimStart().StartsWith('#');
            var above = lines[line - 1].Trim();
            var isQuantity = lines[line].TrimStart().StartsWith("cpu:", StringComparison.Ordinal)
                || lines[line].TrimStart().StartsWith("memory:", StringComparison.Ordinal);
            if (isValue && !isQuantity && !above.StartsWith('#') && !above.Contains(": ", StringComparison.Ordinal))
            {
                bare.Add(lines[line]);
            }
        }

        Assert.Empty(bare);
    }
}
