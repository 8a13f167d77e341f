using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources;

/// <summary>All that a source gives, and what it does when its bytes are not what they should be.</summary>
internal static class SourceContents
{
    public static string[] Names(this ImageSource source) => [.. Enumerable.Range(0, source.Count).Select(source.NameOf)];

    public static string?[] ClassNames(this ImageSource source) =>
        [.. Enumerable.Range(0, source.Count).Select(i => source.LabelOf(i) is { } label ? source.Classes[label] : null)];

    public static byte[] Pixels(this ImageSource source, int index)
    {
        using var image = source.Open(index);
        return image.Decode().Pixels;
    }

    /// <summary>Changes a file in many ways: whatever it holds then, it is read or refused, and nothing else is thrown.</summary>
    public static void AssertReadOrRefused(byte[] whole, string path, Func<string, ImageSource> open, int trials = 60)
    {
        for (var trial = 0; trial < trials; trial++)
        {
            var random = new RandomStream(7, RandomPurpose.Evaluation, trial);
            var bytes = (trial % 3) switch
            {
                0 => whole[..random.NextInt(whole.Length)],
                1 => Changed(whole, ref random, 1 + random.NextInt(8), whole.Length),
                _ => Changed(whole, ref random, 1 + random.NextInt(8), Math.Min(whole.Length, 512)),
            };
            File.WriteAllBytes(path, bytes);
            AssertReadOrRefused(path, open);
        }
    }

    /// <summary>Whatever a file holds, it is read or refused, and nothing else is thrown.</summary>
    public static void AssertReadOrRefused(string path, Func<string, ImageSource> open)
    {
        try
        {
            using var source = open(path);
            for (var i = 0; i < Math.Min(source.Count, 50); i++)
            {
                Assert.NotNull(source.NameOf(i));
                if (source.LabelOf(i) is { } label) Assert.InRange(label, 0, source.Classes.Count - 1);
                foreach (var column in source.Columns) source.ValueOf(i, column);
                Read(source, i);
            }
        }
        catch (JepaException e)
        {
            Assert.True(e.IsUsage);
            Assert.Contains(Path.GetFileName(path), e.Message, StringComparison.Ordinal);
        }
    }

    private static void Read(ImageSource source, int index)
    {
        try
        {
            source.Pixels(index);
        }
        catch (ImageUnreadableException e)
        {
            Assert.Equal(source.NameOf(index), e.Name);
        }
    }

    private static byte[] Changed(byte[] whole, ref RandomStream random, int changes, int within)
    {
        byte[] bytes = [.. whole];
        for (var c = 0; c < changes; c++)
            bytes[random.NextInt(within)] = random.NextInt(3) switch { 0 => 0xff, 1 => 0, _ => (byte)random.NextInt(256) };
        return bytes;
    }
}
