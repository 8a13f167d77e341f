using JepaSharp.Runtime;

namespace JepaSharp.Fuzzing;

/// <summary>Runs a reader on its seeds, changed at random: always in the same way, for a while, with no tool at hand.</summary>
internal static class Mutations
{
    private const int MostChanges = 8, LongestStretch = 64;

    /// <summary>Runs until the time is up. A finding is thrown, and its input kept beside the program.</summary>
    public static int Run(ReaderTarget target, TimeSpan duration)
    {
        byte[][] seeds = [.. Seeds.Of(target.Name).Select(s => s.Bytes)];
        using var place = new ScratchFile(target.FileName);
        var (started, runs, read) = (TimeProvider.System.GetTimestamp(), 0L, 0L);
        for (; TimeProvider.System.GetElapsedTime(started) < duration; runs++)
        {
            var input = Changed(seeds, runs);
            try
            {
                if (target.Execute(place, input) is null) read++;
            }
            catch
            {
                File.WriteAllBytes($"finding-{target.Name}", input);
                throw;
            }
        }

        Console.WriteLine($"{target.Name}: {runs:N0} inputs, {read:N0} read, the others refused");
        return 0;
    }

    private static byte[] Changed(byte[][] seeds, long run)
    {
        var random = new RandomStream(0, RandomPurpose.Evaluation, sample: run);
        byte[] bytes = [.. seeds[random.NextInt(seeds.Length)]];
        for (var change = random.NextInt(MostChanges) + 1; change > 0 && bytes.Length > 0; change--)
        {
            var at = random.NextInt(bytes.Length);
            switch (random.NextInt(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.NextInt(8)); break;
                case 1: bytes[at] = (byte)random.NextInt(256); break;
                case 2: bytes = bytes[..(at + 1)]; break;
                case 3:
                    var other = seeds[random.NextInt(seeds.Length)];
                    var from = random.NextInt(other.Length);
                    var stretch = Math.Min(Math.Min(random.NextInt(LongestStretch) + 1, other.Length - from), bytes.Length - at);
                    other.AsSpan(from, stretch).CopyTo(bytes.AsSpan(at));
                    break;
                default:
                    var length = Math.Min(random.NextInt(LongestStretch) + 1, bytes.Length - at);
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
            }
        }

        return bytes;
    }
}
