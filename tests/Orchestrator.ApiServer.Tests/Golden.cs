namespace Orchestrator.ApiServer.Tests;

/// <summary>Golden cases: a folder each, with what goes in and what must come out. A new case is a new folder and no code.</summary>
internal static class Golden
{
    /// <param name="area">The test folder that has the testdata.</param>
    public static TheoryData<string> Cases(string area) =>
        [.. Directory.GetDirectories(Folder(area)).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    public static string? Read(string area, string name, string file) =>
        Path.Combine(Folder(area), name, file) is var path && File.Exists(path) ? File.ReadAllText(path) : null;

    /// <summary>What came out is left beside what was expected, to be compared, or copied over it.</summary>
    public static void Check(string area, string name, string file, string actual)
    {
        File.WriteAllText(Path.Combine(Folder(area), name, "actual-" + file), actual);
        Assert.Equal(Read(area, name, file) ?? "", actual);
    }

    private static string Folder(string area) => Path.Combine(AppContext.BaseDirectory, area, "testdata");
}
