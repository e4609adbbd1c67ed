// Sounds of a trial: all start together and loop, one of them is heard, so that switching has no gap.
"use strict";
const codecbenchSound = (function () {
  const FADE_SECONDS = 0.008; // Against clicks, short enough not to be heard as a gap.
  const LEAD_SECONDS = 0.05;
  const waiting = new Map();
  let context = null;

  // Called by the scripts that hold an utterance's sounds.
  window.codecbenchItem = function (name, sounds) {
    const done = waiting.get(name);
    if (done) done(sounds);
  };

  function script(name) {
    return new Promise(function (resolve, reject) {
      const element = document.createElement("script");
      waiting.set(name, function (sounds) {
        waiting.delete(name);
        element.remove();
        resolve(sounds);
      });
      element.onerror = () => reject(new Error(`the sounds of this trial (${name}) cannot be read`));
      element.src = name;
      document.head.append(element);
    });
  }

  function bytes(text) {
    const raw = atob(text);
    return Uint8Array.from(raw, (sign) => sign.charCodeAt(0)).buffer;
  }

  // Returns AudioBuffers: reference, codecs in the design's order, low and mid anchor.
  async function load(name) {
    context = context || new AudioContext();
    const sounds = await script(name);
    return Promise.all(sounds.map((text) => context.decodeAudioData(bytes(text))));
  }

  class Player {
    constructor(buffers) {
      this.buffers = buffers;
      this.sources = [];
      this.gains = [];
      this.heard = null;
      this.loop = true;
      this.onended = () => {};
    }

    async play(place) {
      await context.resume();
      if (!this.sources.length) this.start();
      this.heard = place;
      const now = context.currentTime;
      this.gains.forEach(function (gain, index) {
        gain.gain.cancelScheduledValues(now);
        gain.gain.setValueAtTime(gain.gain.value, now);
        gain.gain.linearRampToValueAtTime(index === place ? 1 : 0, now + FADE_SECONDS);
      });
    }

    start() {
      const at = context.currentTime + LEAD_SECONDS;
      this.startedAt = at;
      this.gains = this.buffers.map(() => new GainNode(context, { gain: 0 }));
      this.sources = this.buffers.map((buffer, index) => {
        const source = new AudioBufferSourceNode(context, { buffer, loop: this.loop });
        source.connect(this.gains[index]).connect(context.destination);
        source.start(at);
        return source;
      });
      const sources = this.sources;
      sources[0].onended = () => {
        if (this.sources === sources) this.stop();
      };
    }

    stop() {
      const sources = this.sources;
      this.sources = [];
      for (const source of sources) source.stop();
      for (const gain of this.gains) gain.disconnect();
      this.heard = null;
      this.onended();
    }

    setLoop(loop) {
      this.loop = loop;
      for (const source of this.sources) source.loop = loop;
    }
  }

  return { load, Player };
})();
