namespace Orchestrator.Chart.Tests;

/// <summary>The chart, seen through the real helm.</summary>
internal static class Chart
{
    /// <summary>The version of Kubernetes that golden cases are rendered for, unless they say another: that of the server in the tests.</summary>
    public const string KubeVersion = "1.20.2";

    public const string Namespace = "orchestrator-system";

    public static string Folder => Repository.At("charts/orchestrator");

    /// <summary>Golden cases: a folder each, with values, perhaps arguments, and what comes out. A new one is a new folder and no code.</summary>
    public static TheoryData<string> Cases() =>
        [.. Directory.GetDirectories(CasesFolder).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    public static string At(string name, string file) => Path.Combine(CasesFolder, name, file);

    public static string CasesFolder => Repository.At("tests/Orchestrator.Chart.Tests/Golden");

    public static async Task<Command> HelmAsync(params IReadOnlyList<string> arguments) =>
        await Command.RunAsync(await Dependency.PathOf("helm"), arguments);

    /// <summary>What a golden case renders to.</summary>
    public static async Task<string> RenderAsync(string name)
    {
        var more = At(name, "arguments.txt") is var file && File.Exists(file) ? File.ReadAllText(file).Split(' ', '\n') : [];
        var rendered = await HelmAsync(
            ["template", "orc", Folder, "--namespace", Namespace, "--kube-version", KubeVersion, "--values", At(name, "values.yaml"),
            .. more.Where(argument => argument.Length > 0)]);
        return rendered.OrThrow().Output;
    }
}
