using System.Text;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training.Progress;

public sealed class TrainingObserversTests
{
    [Fact]
    public void Record_ThatCannotBeWrittenForAWhile_IsSaidOnceAndItsRecoveryToo()
    {
        var screen = new Screen();
        var record = new FlakyRecord();
        using var all = new TrainingObservers(record, screen);
        for (var step = 1; step <= 6; step++)
        {
            record.DiskIsFull = step is 2 or 3 or 4;
            all.OnStep(Steps.Number(step));
        }

        Assert.Equal(6, screen.Steps);
        Assert.Equal(["x.csv cannot be written: disk full Training goes on, and it is tried again.", "x.csv is written again."], screen.Messages);
    }

    [Fact]
    public void Observer_WithAMistakeInIt_IsNotHidden() =>
        Assert.Throws<InvalidOperationException>(() => new TrainingObservers(new Broken()).OnMessage("x"));

    [Fact]
    public void File_OnAFullDisk_KeepsWhatItCouldNotWrite()
    {
        if (!File.Exists("/dev/full")) Assert.Skip("There is no /dev/full here.");
        using var file = new AppendedFile("/dev/full");
        file.Append("one"u8);
        Assert.Throws<IOException>(() => file.Flush());
        Assert.True(file.HasUnwritten);
    }

    [Fact]
    public void File_FlushedTwice_HasEverythingOnceAndInOrder()
    {
        using var folder = new TemporaryFolder();
        using var file = new AppendedFile(folder["x"]);
        file.Append("one"u8);
        file.Flush(toDisk: true);
        file.Append("two"u8);
        file.Flush();
        file.Flush();
        Assert.False(file.HasUnwritten);
        Assert.Equal("onetwo", Encoding.ASCII.GetString(ReadShared(folder["x"])));
    }

    private static byte[] ReadShared(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private sealed class Screen : ITrainingObserver
    {
        public int Steps { get; private set; }

        public List<string> Messages { get; } = [];

        public void OnStep(in StepReport step) => Steps++;

        public void OnMessage(string text) => Messages.Add(text);
    }

    private sealed class FlakyRecord : IRecord
    {
        public bool DiskIsFull { get; set; }

        public string Path => "x.csv";

        public bool HasUnwritten => DiskIsFull;

        public void OnStep(in StepReport step)
        {
            if (DiskIsFull) throw new IOException("disk full");
        }
    }

    private sealed class Broken : ITrainingObserver
    {
        public void OnMessage(string text) => throw new InvalidOperationException();
    }
}
