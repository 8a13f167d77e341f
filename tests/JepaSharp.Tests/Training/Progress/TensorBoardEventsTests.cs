using System.Buffers.Binary;
using System.Text;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training.Progress;

public sealed class TensorBoardEventsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("123456789", 0xe3069283u)]
    [InlineData("", 0u)]
    [InlineData("a", 0xc1d04330u)]
    public void Crc_KnownTexts_HaveTheKnownValues(string text, uint crc) => Assert.Equal(crc, Crc32C.Of(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Crc_VectorsOfRfc3720_AreMet()
    {
        Assert.Equal(0x8a9136aau, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62a8ab43u, Crc32C.Of(Enumerable.Repeat((byte)0xff, 32).ToArray()));
        Assert.Equal(0x46dd794eu, Crc32C.Of(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
    }

    [Fact]
    public void Record_OfTheVersionEvent_IsTheBytesThatEveryEventFileBeginsWith()
    {
        using (new TensorBoardEvents(_folder.Path, clock: new FakeClock())) { }
        var bytes = File.ReadAllBytes(Directory.GetFiles(_folder.Path).Single());
        // wall_time (9 bytes) and file_version (15) make 24; step 0 is left out, as everything is that has its default.
        Assert.Equal(24, bytes[0]);
        Assert.Equal("brain.Event:2", Encoding.ASCII.GetString(bytes, 12 + 9 + 2, 13));
    }

    [Fact]
    public void Events_OfARun_DecodeToWhatWasObserved()
    {
        var clock = new FakeClock();
        string path;
        using (var events = new TensorBoardEvents(_folder.Path, clock: clock))
        {
            path = events.Path;
            events.OnStep(Steps.Number(7, loss: 0.25f));
            events.OnMeasures(1, 300, new Dictionary<string, double> { ["rankme"] = 12.5 });
            events.AddImage("masks", 301, [1, 2, 3], 40, 30);
        }

        Assert.StartsWith($"events.out.tfevents.{clock.GetUtcNow().ToUnixTimeSeconds()}.", Path.GetFileName(path), StringComparison.Ordinal);
        var decoded = Decode(path);
        Assert.Equal(4, decoded.Count);
        Assert.All(decoded, e => Assert.Equal(1772600767.0, BitConverter.Int64BitsToDouble((long)e[1].Single())));

        var loss = Values(decoded[1]).Single(v => Text(v[1]) == "train/loss");
        Assert.Equal(7ul, decoded[1][2].Single());
        Assert.Equal(0.25f, BitConverter.UInt32BitsToSingle((uint)(ulong)loss[2].Single()));

        var rank = Values(decoded[2]).Single();
        Assert.Equal(300ul, decoded[2][2].Single());
        Assert.Equal(("measures/rankme", 12.5f), (Text(rank[1]), BitConverter.UInt32BitsToSingle((uint)(ulong)rank[2].Single())));

        var image = Fields((byte[])Values(decoded[3]).Single()[4].Single());
        Assert.Equal((30ul, 40ul), ((ulong)image[1].Single(), (ulong)image[2].Single()));
        Assert.Equal([1, 2, 3], (byte[])image[4].Single());
    }

    [Fact]
    public void Events_OfAResumedRun_BeginANewFileWithASessionStart()
    {
        var clock = new FakeClock();
        using var first = new TensorBoardEvents(_folder.Path, clock: clock);
        string path;
        using (var second = new TensorBoardEvents(_folder.Path, resumedAfter: 40, clock: clock)) path = second.Path;
        Assert.NotEqual(first.Path, path);
        var start = Decode(path)[1];
        Assert.Equal(41ul, start[2].Single());
        Assert.Equal([8, 1], (byte[])start[7].Single());
    }

    private static List<ILookup<int, object>> Decode(string path)
    {
        var bytes = File.ReadAllBytes(path).AsSpan();
        var events = new List<ILookup<int, object>>();
        while (bytes.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            Assert.Equal(Unmask(BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])), SlowCrc(bytes[..8]));
            Assert.Equal(Unmask(BinaryPrimitives.ReadUInt32LittleEndian(bytes[(12 + length)..])), SlowCrc(bytes.Slice(12, length)));
            events.Add(Fields(bytes.Slice(12, length).ToArray()));
            bytes = bytes[(16 + length)..];
        }

        return events;
    }

    private static uint Unmask(uint masked)
    {
        var rotated = masked - 0xa282ead8u;
        return (rotated << 15) | (rotated >> 17);
    }

    // Bit by bit, from the reversed Castagnoli polynomial.
    private static uint SlowCrc(ReadOnlySpan<byte> data)
    {
        var crc = 0xffffffffu;
        foreach (var b in data)
        {
            crc ^= b;
            for (var k = 0; k < 8; k++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
        }

        return ~crc;
    }

    private static IEnumerable<ILookup<int, object>> Values(ILookup<int, object> e) =>
        Fields((byte[])e[5].Single())[1].Select(v => Fields((byte[])v));

    private static string Text(IEnumerable<object> field) => Encoding.UTF8.GetString((byte[])field.Single());

    private static ILookup<int, object> Fields(byte[] message)
    {
        var fields = new List<(int Field, object Value)>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            object value;
            switch (key & 7)
            {
                case 0: value = Varint(message, ref at); break;
                case 1: value = BitConverter.ToInt64(message, at); at += 8; break;
                case 5: value = (ulong)BitConverter.ToUInt32(message, at); at += 4; break;
                default:
                    var length = (int)Varint(message, ref at);
                    value = message[at..(at + length)];
                    at += length;
                    break;
            }

            fields.Add(((int)(key >> 3), value));
        }

        return fields.ToLookup(f => f.Field, f => f.Value);
    }

    private static ulong Varint(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = bytes[at++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
    }
}
