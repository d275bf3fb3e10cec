namespace Orchestrator.Api.Tests;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("nginx", "docker.io", "library/nginx", "latest", null)]
    [InlineData("nginx:1.25", "docker.io", "library/nginx", "1.25", null)]
    [InlineData("bitnami/nginx", "docker.io", "bitnami/nginx", "latest", null)]
    [InlineData("docker.io/nginx", "docker.io", "library/nginx", "latest", null)]
    [InlineData("10.77.0.1:5000/web:v1", "10.77.0.1:5000", "web", "v1", null)]
    [InlineData("localhost/web", "localhost", "web", "latest", null)]
    [InlineData("registry.example.org/team/web__x/y:v1.0-rc", "registry.example.org", "team/web__x/y", "v1.0-rc", null)]
    [InlineData("web@" + Digest, "docker.io", "library/web", null, Digest)]
    [InlineData("web:v1@" + Digest, "docker.io", "library/web", "v1", Digest)]
    public void A_reference_is_read_as_Docker_reads_it(string text, string registry, string repository, string? tag, string? digest) =>
        Assert.Equal(new ImageReference(registry, repository, tag, digest), ImageReference.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("Nginx")]
    [InlineData("web:")]
    [InlineData("web:tag with space")]
    [InlineData("-web")]
    [InlineData("web//x")]
    [InlineData("web@sha256:12")]
    [InlineData("https://registry/web")]
    public void What_Docker_refuses_is_refused(string text) => Assert.Null(ImageReference.Parse(text));
}
