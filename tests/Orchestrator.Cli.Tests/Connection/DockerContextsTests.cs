using System.Security.Cryptography;
using System.Text;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Tests.Connection;

public sealed class DockerContextsTests : IDisposable
{
    private const string Tcp = """{"Name":"production","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://10.0.0.2:2376","SkipTLSVerify":false}}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_context_gives_endpoint_and_TLS_files()
    {
        Store(Tcp, "ca.pem", "cert.pem", "key.pem");

        var context = Read();

        Assert.Equal("tcp://10.0.0.2:2376", context.Endpoint);
        Assert.Equal(("ca.pem", "cert.pem", "key.pem"), context.Tls);
        Assert.DoesNotContain("key", context.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_context_without_TLS_files_has_none()
    {
        Store("""{"Endpoints":{"docker":{"Host":"unix:///run/docker.sock"}}}""");

        Assert.Equal(new DockerContext("unix:///run/docker.sock", null), Read());
    }

    [Theory]
    [InlineData("""{"Endpoints":{"docker":{"Host":"npipe:////./pipe/docker_engine"}}}""", "its engine is at npipe:////./pipe/docker_engine")]
    [InlineData("""{"Endpoints":{"docker":{"Host":"tcp://10.0.0.2:2376","SkipTLSVerify":true}}}""", "skips the check of the engine's certificate")]
    [InlineData("""{"Endpoints":{"kubernetes":{}}}""", "names no Docker engine")]
    [InlineData("""{"Endpoints":{"docker":{"Host":7}}}""", "is not what Docker writes")]
    [InlineData("[]", "is not what Docker writes")]
    [InlineData("{", "is not what Docker writes")]
    public void What_cannot_be_used_is_refused(string meta, string why)
    {
        Store(meta);

        Assert.Contains(why, Assert.Throws<CommandException>(Read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_context_by_ssh_has_no_use_for_TLS_files()
    {
        Store("""{"Endpoints":{"docker":{"Host":"ssh://root@10.0.0.2","SkipTLSVerify":true}}}""", "ca.pem");

        Assert.Equal(new DockerContext("ssh://root@10.0.0.2", null), Read());
    }

    [Fact]
    public void A_TLS_file_that_is_missing_is_named()
    {
        Store(Tcp, "ca.pem", "cert.pem");

        Assert.EndsWith("docker/key.pem", Assert.Throws<CommandException>(Read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_context_that_is_not_there_is_told_with_the_folder_looked_at()
    {
        var failure = Assert.Throws<CommandException>(Read);

        Assert.Contains($"no such context in {_folder.Path}", failure.Message, StringComparison.Ordinal);
    }

    private DockerContext Read() => new DockerContexts(_folder.Path).Read("production");

    private void Store(string meta, params string[] tlsFiles)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("production")));
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "contexts", "meta", id));
        File.WriteAllText(Path.Combine(folder.FullName, "meta.json"), meta);
        foreach (var file in tlsFiles)
        {
            var tls = Directory.CreateDirectory(Path.Combine(_folder.Path, "contexts", "tls", id, "docker"));
            File.WriteAllText(Path.Combine(tls.FullName, file), file);
        }
    }
}
