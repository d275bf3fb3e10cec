namespace Orchestrator.ApiServer.Tests;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class PrivateFileTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Open = Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void A_folder_of_somebody_else_is_refused_and_keeps_its_mode()
    {
        var folder = Existing(Open, "notes.txt");

        var refused = Assert.Throws<IOException>(() => PrivateFile.CreateFolder(folder));

        Assert.Contains(folder, refused.Message, StringComparison.Ordinal);
        Assert.Equal(Open, File.GetUnixFileMode(folder));
    }

    [Theory]
    [InlineData]
    [InlineData("lock", "store.log")]
    [InlineData("proxy/lock", "proxy.log")]
    [InlineData("ca.key", "ca.crt")]
    [InlineData("lost+found")]
    public void A_folder_that_is_empty_or_ours_becomes_private(params string[] files)
    {
        var folder = Existing(Open, files);

        PrivateFile.CreateFolder(folder);

        Assert.Equal(Private, File.GetUnixFileMode(folder));
    }

    [Fact]
    public void A_folder_that_is_private_already_is_taken_as_it_is()
    {
        var folder = Existing(Private, "serve.log");

        PrivateFile.CreateFolder(folder);

        Assert.Equal(Private, File.GetUnixFileMode(folder));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_made_private()
    {
        PrivateFile.CreateFolder(_temporary["new"]);

        Assert.Equal(Private, File.GetUnixFileMode(_temporary["new"]));
    }

    private string Existing(UnixFileMode mode, params string[] files)
    {
        var folder = Directory.CreateDirectory(_temporary["existing"]).FullName;
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
            File.WriteAllText(Path.Combine(folder, file), "");
        }

        File.SetUnixFileMode(folder, mode);
        return folder;
    }
}
