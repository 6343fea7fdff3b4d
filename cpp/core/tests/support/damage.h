// Damage a text at random: change, delete, insert or copy pieces of it.
#pragma once

#include <random>
#include <string>

/// Return the text with one to four changes, drawn from an alphabet; never empty.
inline std::string damaged(std::string text, std::mt19937 &random, const std::string &alphabet) {
  for (unsigned change = 0; change <= random() % 4; ++change) {
    const std::size_t where = random() % text.size();
    switch (random() % 4) {
    case 0:
      text[where] = alphabet[random() % alphabet.size()];
      break;
    case 1:
      text.erase(where, 1 + random() % 8);
      break;
    case 2:
      text.insert(where, 1, alphabet[random() % alphabet.size()]);
      break;
    default:
      text.insert(where, text.substr(random() % text.size(), random() % 30));
    }
    if (text.empty()) text = "#";
  }
  return text;
}
